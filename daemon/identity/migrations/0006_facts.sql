-- runs_from: 0.1.0
--
-- What a connection's server says of itself (its limits), so that a restart has it. made_for: of which descriptor and
-- fields it was asked; facts of another server, or of another reading of them, are none.
SET search_path = isthmus;

CREATE TABLE connection_facts (
  connection int PRIMARY KEY REFERENCES connection, made_for bytea NOT NULL, facts text NOT NULL, at timestamptz NOT NULL);
