-- A claim for MariaDB: replay, limit of one unit a user, exact stock and the record, in one transaction.
-- `claim` answers the serial (from 0), -1 for sold out, -2 for a user who already holds a unit.

CREATE TABLE stock (
    batch BIGINT PRIMARY KEY,
    total BIGINT NOT NULL,
    granted BIGINT NOT NULL DEFAULT 0 CHECK (granted <= total)
) ENGINE = InnoDB;

-- The primary key is what a retry is recognized by; the second key is the limit.
CREATE TABLE claims (
    batch BIGINT NOT NULL,
    user BIGINT NOT NULL,
    request BIGINT NOT NULL,
    serial BIGINT NOT NULL,
    PRIMARY KEY (batch, user, request),
    UNIQUE KEY one_unit (batch, user)
) ENGINE = InnoDB;

DELIMITER //

CREATE FUNCTION claim(the_batch BIGINT, the_user BIGINT, the_request BIGINT) RETURNS BIGINT
    NOT DETERMINISTIC MODIFIES SQL DATA
BEGIN
    DECLARE held_request, held_serial, taken BIGINT DEFAULT NULL;
    DECLARE is_duplicate BOOLEAN DEFAULT FALSE;
    DECLARE CONTINUE HANDLER FOR 1062 SET is_duplicate = TRUE;
    DECLARE CONTINUE HANDLER FOR NOT FOUND BEGIN END;

    SELECT request, serial INTO held_request, held_serial FROM claims WHERE batch = the_batch AND user = the_user;
    IF held_serial IS NOT NULL THEN
        RETURN IF(held_request = the_request, held_serial, -2);
    END IF;
    -- The only row that all claims meet at. Its lock is held until the transaction ends.
    UPDATE stock SET granted = LAST_INSERT_ID(granted + 1) WHERE batch = the_batch AND granted < total;
    IF ROW_COUNT() = 0 THEN
        RETURN -1;
    END IF;
    SET taken = LAST_INSERT_ID() - 1;
    INSERT INTO claims VALUES (the_batch, the_user, the_request, taken);
    IF is_duplicate THEN
        -- The same user's other claim came between the look and the lock: give the unit back, answer what that got.
        UPDATE stock SET granted = granted - 1 WHERE batch = the_batch;
        SELECT request, serial INTO held_request, held_serial FROM claims
            WHERE batch = the_batch AND user = the_user FOR UPDATE;
        RETURN IF(held_request = the_request, held_serial, -2);
    END IF;
    RETURN taken;
END //

-- Claims of several users in one transaction: what a batched client would send. Answers how many were granted.
CREATE FUNCTION claim_many(the_batch BIGINT, first_user BIGINT, the_request BIGINT, users INT) RETURNS INT
    NOT DETERMINISTIC MODIFIES SQL DATA
BEGIN
    DECLARE granted, at INT DEFAULT 0;
    WHILE at < users DO
        IF claim(the_batch, first_user + at, the_request) >= 0 THEN
            SET granted = granted + 1;
        END IF;
        SET at = at + 1;
    END WHILE;
    RETURN granted;
END //

DELIMITER ;
