-- runs_from: 0.1.0
--
-- What a release needs to decide again, and what keeps the small queue small to read:
--
-- * A command says which route or which principal made it, so that it can be judged again under today's versions.
-- * attempt has a third phase. 0: intent of attempt n; 1: its end; 2: a person released the command again, under a number
--   of its own above all earlier ones. A closing end counts when no release has a higher number than it has.
-- * A call in parked (stage 1) is quarantined (state 7), waits to be read again (state 4: its connection was suspended,
--   or a person asked for it), or was dropped by a person (state 6).
SET search_path = isthmus;

ALTER TABLE outbox ADD COLUMN route text COLLATE "C", ADD COLUMN author int;
CREATE INDEX parked_calls ON parked (lane, connection, seq) WHERE stage = 1;
CREATE INDEX parked_keys ON parked (lane, connection, order_key, seq) WHERE state IN (1, 2, 3);
