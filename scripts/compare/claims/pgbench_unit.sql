\set buyer random(1, 4000000000000000)
\set request random(1, 4000000000000000)
SELECT claim_unit(1, :buyer, :request);
