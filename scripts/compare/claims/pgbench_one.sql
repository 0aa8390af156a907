\set buyer random(1, 4000000000000000)
\set request random(1, 4000000000000000)
SELECT claim(1, :buyer, :request);
