-- A claim for PostgreSQL: replay, limit of one unit a user, exact stock and the record, in one transaction.
-- `claim` answers the serial (from 0), -1 for sold out, -2 for a user who already holds a unit.

-- Room in the page for new versions of the row, so that an update touches no index and old versions are pruned there.
CREATE TABLE stock (
    batch bigint PRIMARY KEY,
    total bigint NOT NULL,
    granted bigint NOT NULL DEFAULT 0 CHECK (granted <= total)
) WITH (fillfactor = 10);

-- The primary key is what a retry is recognized by; the second key is the limit.
CREATE TABLE claims (
    batch bigint NOT NULL,
    buyer bigint NOT NULL,
    request bigint NOT NULL,
    serial bigint NOT NULL,
    PRIMARY KEY (batch, buyer, request),
    CONSTRAINT one_unit UNIQUE (batch, buyer)
);

CREATE FUNCTION claim(the_batch bigint, the_buyer bigint, the_request bigint) RETURNS bigint
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    held claims;
    taken bigint;
BEGIN
    SELECT * INTO held FROM claims WHERE batch = the_batch AND buyer = the_buyer;
    IF FOUND THEN
        RETURN CASE WHEN held.request = the_request THEN held.serial ELSE -2 END;
    END IF;
    -- The only row that all claims meet at. Its lock is held until the transaction ends.
    UPDATE stock SET granted = granted + 1 WHERE batch = the_batch AND granted < total RETURNING granted - 1 INTO taken;
    IF NOT FOUND THEN
        RETURN -1;
    END IF;
    INSERT INTO claims VALUES (the_batch, the_buyer, the_request, taken) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        -- The same buyer's other claim came between the look and the lock: give the unit back, answer what that got.
        UPDATE stock SET granted = granted - 1 WHERE batch = the_batch;
        SELECT * INTO held FROM claims WHERE batch = the_batch AND buyer = the_buyer;
        RETURN CASE WHEN held.request = the_request THEN held.serial ELSE -2 END;
    END IF;
    RETURN taken;
END $$;

-- Claims of several buyers in one transaction: what a batched client would send. Answers how many were granted.
CREATE FUNCTION claim_many(the_batch bigint, first_buyer bigint, the_request bigint, buyers integer) RETURNS integer
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    granted integer := 0;
BEGIN
    FOR at IN 0 .. buyers - 1 LOOP
        IF claim(the_batch, first_buyer + at, the_request) >= 0 THEN
            granted := granted + 1;
        END IF;
    END LOOP;
    RETURN granted;
END $$;
