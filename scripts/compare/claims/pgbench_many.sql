\set first_buyer random(1, 4000000000000000)
\set request random(1, 4000000000000000)
SELECT claim_many(1, :first_buyer, :request, 64);
