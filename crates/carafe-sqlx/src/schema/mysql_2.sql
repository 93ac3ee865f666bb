-- Upgrades version 1 to version 2. Missing indices are created afterwards, as for any other table. These statements cannot
-- share a transaction: each of the first two checks whether it has run before, because only MariaDB has IF EXISTS here.
SET @carafe = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE carafe_sessions ADD COLUMN renewal VARBINARY(255) COMMENT ''opaque''', 'DO 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'carafe_sessions' AND column_name = 'renewal');
PREPARE carafe FROM @carafe;
EXECUTE carafe;
SET @carafe = (SELECT IF(COUNT(*) = 0, 'DO 0', 'ALTER TABLE carafe_sessions DROP KEY carafe_sessions_user')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'carafe_sessions' AND index_name = 'carafe_sessions_user');
PREPARE carafe FROM @carafe;
EXECUTE carafe;
DEALLOCATE PREPARE carafe;
INSERT INTO carafe_sessions_schema (version) VALUES (2);
