-- Widens a column that was created with room for the renewal only.
SET @carafe = (SELECT IF(COUNT(*) = 0, 'DO 0', 'ALTER TABLE carafe_sessions MODIFY renewal VARBINARY(255) COMMENT ''opaque''')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'carafe_sessions' AND column_name = 'renewal'
        AND character_maximum_length < 255);
PREPARE carafe FROM @carafe;
EXECUTE carafe;
DEALLOCATE PREPARE carafe;
