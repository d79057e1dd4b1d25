-- runs_from: 0.1.0
--
-- A unit that history refers to cannot be deleted; without a mark it came back with every export.
SET search_path = isthmus;

ALTER TABLE unit ADD COLUMN removed_at timestamptz;
