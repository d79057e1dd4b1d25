-- runs_from: 0.1.0
--
-- Full tiles of the Merkle tree (C2SP tlog-tiles): 256 hashes each, never changed. Partial tiles follow from them and from leaf.
SET search_path = isthmus;

CREATE TABLE tile (level smallint NOT NULL, n bigint NOT NULL, hashes bytea NOT NULL, PRIMARY KEY (level, n));
ALTER TABLE tile ALTER COLUMN hashes SET STORAGE EXTERNAL;  -- hashes do not compress
