-- The same claim for PostgreSQL without a hot row: one row a unit, which claims take past each other's locks.
-- `claim_unit` answers as `claim` does, but may say "sold out" (-1) while another transaction still holds the last unit
-- and then fails.

CREATE TABLE units (
    batch bigint NOT NULL,
    serial bigint NOT NULL,
    buyer bigint,
    request bigint,
    PRIMARY KEY (batch, serial),
    CONSTRAINT one_unit_each UNIQUE (batch, buyer)
) WITH (fillfactor = 50);

CREATE INDEX free_units ON units (batch, serial) WHERE buyer IS NULL;

CREATE FUNCTION claim_unit(the_batch bigint, the_buyer bigint, the_request bigint) RETURNS bigint
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    held units;
    taken bigint;
BEGIN
    SELECT * INTO held FROM units WHERE batch = the_batch AND buyer = the_buyer;
    IF FOUND THEN
        RETURN CASE WHEN held.request = the_request THEN held.serial ELSE -2 END;
    END IF;
    SELECT serial INTO taken FROM units WHERE batch = the_batch AND buyer IS NULL
        ORDER BY batch, serial LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN -1;
    END IF;
    -- Should the same buyer's other claim come in between, the second key fails this transaction: to be sent again.
    UPDATE units SET buyer = the_buyer, request = the_request WHERE batch = the_batch AND serial = taken;
    RETURN taken;
END $$;
