-- runs_from: 0.1.0
--
-- The pipeline: a LOG for the happy path, a small QUEUE (parked) for exceptions, LANES for ownership, a LEDGER that outlives
-- both, and the RECORDS of the archive. Rules that hold everywhere:
--
-- * Every transaction that acts for a lane begins with the fence, which must find one row:
--     SELECT 1 FROM lane WHERE lane = $1 AND epoch = $2 FOR SHARE
-- * Numbers within (stage, lane) are given under lane_head's row lock, so a reader needs `seq > position` and nothing else.
-- * Lock order: fence; shared rows table by table, each in key order; lane_head last.
-- * Positions are appended to progress, never updated in place: a row updated for ever grows slow under an open snapshot.
-- * Stages of lane_head: 1 inbox, 2 outbox, 3 records. Lane 64 is the sequencer's.
SET search_path = isthmus;

CREATE TABLE unit (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent int REFERENCES unit, name text COLLATE "C" NOT NULL UNIQUE);
-- Secrets of this installation that are no one's credential: the key that derives command ids. Sealed by the master key.
CREATE TABLE installation (name text COLLATE "C" PRIMARY KEY, sealed bytea NOT NULL);
CREATE TABLE principal (               -- people and machines; a person is (issuer, subject), never a mail address
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text COLLATE "C" NOT NULL, unit int NOT NULL REFERENCES unit,
  issuer text COLLATE "C" NOT NULL, subject text COLLATE "C" NOT NULL, key_hash bytea UNIQUE, rights text[] NOT NULL DEFAULT '{}',
  disabled_at timestamptz, UNIQUE (issuer, subject));
CREATE TABLE connection (              -- a profile on a network, or a business system
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uuid uuid NOT NULL UNIQUE, name text COLLATE "C" NOT NULL UNIQUE,
  unit int NOT NULL REFERENCES unit, adapter text COLLATE "C" NOT NULL,
  descriptor_sha256 bytea NOT NULL,    -- what the hosts were approved for; another descriptor suspends the connection
  hosts text[] NOT NULL,               -- scheme://host:port
  internal bool NOT NULL DEFAULT false, fields jsonb NOT NULL, collect jsonb NOT NULL DEFAULT '{}',
  lane smallint NOT NULL, removed_at timestamptz);
CREATE TABLE connection_secret (       -- sealed under the master key, with "connection uuid/field" as associated data
  connection int NOT NULL REFERENCES connection, field text COLLATE "C" NOT NULL, sealed bytea NOT NULL,
  at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (connection, field));
CREATE TABLE route (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE, source int NOT NULL REFERENCES connection,
  kinds text[] NOT NULL, target int NOT NULL REFERENCES connection, operation text COLLATE "C" NOT NULL, mapping text COLLATE "C" NOT NULL);
CREATE TABLE administration (          -- moves with every change of the tables above, so that nodes know when to read them again
  only_row bool PRIMARY KEY DEFAULT true CHECK (only_row), version bigint NOT NULL DEFAULT 1);
INSERT INTO administration DEFAULT VALUES;

CREATE TABLE lane (
  lane smallint PRIMARY KEY, owner text, epoch bigint NOT NULL DEFAULT 0, leased_until timestamptz NOT NULL DEFAULT '-infinity')
  WITH (fillfactor = 20);
CREATE TABLE lane_head (stage smallint, lane smallint, next bigint NOT NULL DEFAULT 1, PRIMARY KEY (stage, lane)) WITH (fillfactor = 20);
CREATE TABLE progress (                -- routing: connection 0; delivery: a connection; sequencer: lane's records
  at timestamptz NOT NULL DEFAULT clock_timestamp(), lane smallint NOT NULL, stage smallint NOT NULL, connection int NOT NULL,
  position bigint NOT NULL, PRIMARY KEY (lane, stage, connection, position, at)) PARTITION BY RANGE (at);

CREATE TABLE seen (                    -- SHA-256(sender's delivery id, raw body); calls without an id are not filtered here
  day date NOT NULL, connection int NOT NULL, key bytea NOT NULL, PRIMARY KEY (day, connection, key)) PARTITION BY RANGE (day);
CREATE TABLE inbox (                   -- one journaled exchange: a verified webhook, or one reply of a collect task
  received timestamptz NOT NULL, lane smallint NOT NULL, seq bigint NOT NULL, connection int NOT NULL,
  kind smallint NOT NULL, stream text, status smallint, descriptor_sha256 bytea NOT NULL, context bytea NOT NULL,
  format smallint NOT NULL, journal_key int NOT NULL, call bytea COMPRESSION lz4 NOT NULL,
  PRIMARY KEY (lane, seq, received)) PARTITION BY RANGE (received);
CREATE TABLE stream_cursor (           -- moves in the transaction that journals the page
  lane smallint NOT NULL, connection int NOT NULL, stream text COLLATE "C" NOT NULL, cursor bytea NOT NULL,
  due timestamptz NOT NULL, fails int NOT NULL DEFAULT 0, reason text, PRIMARY KEY (lane, connection, stream));

CREATE TABLE event_key (               -- the binding check against repeats, kept as long as senders repeat
  lane smallint NOT NULL, connection int NOT NULL, key bytea NOT NULL, record uuid NOT NULL, at timestamptz NOT NULL,
  PRIMARY KEY (lane, connection, key));
CREATE TABLE decision (                -- committed with what it decided; a refused command's only home
  at timestamptz NOT NULL, lane smallint NOT NULL, id uuid NOT NULL, command uuid, connection int NOT NULL, effect smallint NOT NULL,
  rule text NOT NULL, pack text NOT NULL, pack_version text NOT NULL, span int4range, reason text, held_for text, principal int,
  PRIMARY KEY (lane, id, at)) PARTITION BY RANGE (at);
CREATE INDEX ON decision (command);
CREATE TABLE outbox (
  made timestamptz NOT NULL, lane smallint NOT NULL, seq bigint NOT NULL, connection int NOT NULL, command uuid NOT NULL,
  verb smallint NOT NULL, operation text NOT NULL, order_key bytea NOT NULL, remote_id text, not_after timestamptz, decision uuid NOT NULL,
  purposes text[] NOT NULL, body_format text NOT NULL, format smallint NOT NULL, journal_key int NOT NULL,
  body bytea COMPRESSION lz4 NOT NULL, PRIMARY KEY (lane, connection, seq, made)) PARTITION BY RANGE (made);
CREATE TABLE ledger (                  -- one row a command: the same id cannot be made twice; counts "made"
  lane smallint NOT NULL, command uuid NOT NULL, connection int NOT NULL, verb smallint NOT NULL, operation text NOT NULL,
  at timestamptz NOT NULL, PRIMARY KEY (lane, command)) WITH (fillfactor = 90);
CREATE TABLE attempt (                 -- append only. phase 0: intent of attempt n, phase 1: its end
  at timestamptz NOT NULL, lane smallint NOT NULL, command uuid NOT NULL, connection int NOT NULL, n smallint NOT NULL, phase smallint NOT NULL,
  verdict smallint, closing bool NOT NULL DEFAULT false, http smallint, state bytea, reason text, remote_id text, remote_url text,
  PRIMARY KEY (lane, command, n, phase, at)) PARTITION BY RANGE (at);
CREATE TABLE parked (                  -- the only queue. States 1 retry, 2 ambiguous, 3 behind block their key; 4 scheduled, 5 held, 6 dead,
  lane smallint NOT NULL, seq bigint NOT NULL, connection int NOT NULL, command uuid, stage smallint NOT NULL,  -- 7 quarantined call do not.
  order_key bytea NOT NULL, state smallint NOT NULL, due timestamptz NOT NULL, tries smallint NOT NULL DEFAULT 0, adapter_state bytea,
  reason text, held_for text, author int, item jsonb NOT NULL, sealed_key bytea NOT NULL, body bytea COMPRESSION lz4 NOT NULL,
  at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (lane, stage, seq))
  WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX ON parked (lane, connection, state, seq);
CREATE INDEX ON parked (command);

-- Keys by UTC day (id: days since 1970-01-01), wrapped by the master key; rotation rewraps these rows only. A journal key goes
-- with its day's partitions; a day key stays as long as a record of its day.
CREATE TABLE day_key (id int PRIMARY KEY, master_key_id text NOT NULL, wrapped bytea NOT NULL);
CREATE TABLE journal_key (id int PRIMARY KEY, master_key_id text NOT NULL, wrapped bytea NOT NULL);
CREATE TABLE record (                  -- written by any stage with its leaf hash; numbered under lane_head stage 3
  at timestamptz NOT NULL, lane smallint NOT NULL, seq bigint NOT NULL, id uuid NOT NULL, kind smallint NOT NULL, connection int,
  unit_at_time int, retention_class smallint NOT NULL, header bytea NOT NULL, leaf_hash bytea NOT NULL, day_key int NOT NULL,
  wrapped_key bytea, body bytea COMPRESSION lz4, PRIMARY KEY (lane, seq, at)) PARTITION BY RANGE (at);
CREATE INDEX ON record (id);
CREATE TABLE leaf (                    -- by the sequencer alone, fenced on lane 64
  idx bigint PRIMARY KEY, lane smallint NOT NULL, seq bigint NOT NULL, at timestamptz NOT NULL, id uuid NOT NULL, hash bytea NOT NULL,
  UNIQUE (lane, seq));
CREATE TABLE checkpoint (              -- inserted before it is shown to anyone
  origin text COLLATE "C" NOT NULL, size bigint NOT NULL, root bytea NOT NULL, note bytea NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (origin, size));

CREATE TABLE blob (                    -- media; a sealed body whose SHA-256 stands in the post and in its record
  hash bytea PRIMARY KEY, mime text NOT NULL, bytes bigint NOT NULL, wrapped_key bytea NOT NULL, body bytea NOT NULL,
  at timestamptz NOT NULL DEFAULT now());

CREATE TABLE post (
  id uuid PRIMARY KEY, author int NOT NULL REFERENCES principal, at timestamptz NOT NULL, idempotency_key bytea UNIQUE, fingerprint bytea NOT NULL);
CREATE TABLE post_target (
  post uuid NOT NULL REFERENCES post, connection int NOT NULL REFERENCES connection, lane smallint NOT NULL, command uuid NOT NULL,
  PRIMARY KEY (post, connection));
CREATE INDEX ON post_target (command);

CREATE TABLE conversation (
  lane smallint NOT NULL, id uuid NOT NULL, connection int NOT NULL, root text COLLATE "C" NOT NULL, at timestamptz NOT NULL,
  PRIMARY KEY (lane, id), UNIQUE (lane, connection, root));
CREATE TABLE message (
  lane smallint NOT NULL, conversation uuid NOT NULL, id text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, direction smallint NOT NULL,
  author text NOT NULL, text text NOT NULL, url text, reply_to text, record uuid NOT NULL, at timestamptz NOT NULL,
  PRIMARY KEY (lane, conversation, id, kind));
CREATE INDEX ON message (lane, id);

CREATE FUNCTION make_partitions(day date) RETURNS void LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE t text; p text; BEGIN
  FOREACH t IN ARRAY ARRAY['progress','seen','inbox','decision','outbox','attempt','record'] LOOP
    p := t || to_char(day, '_YYYYMMDD');
    IF to_regclass('isthmus.' || p) IS NULL THEN
      EXECUTE format('CREATE TABLE isthmus.%I (LIKE isthmus.%I INCLUDING ALL)', p, t);
      EXECUTE format('ALTER TABLE isthmus.%I ATTACH PARTITION isthmus.%I FOR VALUES FROM (%L) TO (%L)', t, p,
                     CASE WHEN t = 'seen' THEN day::text ELSE day::text || ' 00:00+00' END,
                     CASE WHEN t = 'seen' THEN (day + 1)::text ELSE (day + 1)::text || ' 00:00+00' END);
    END IF;
  END LOOP; END $$;
SELECT make_partitions((now() AT TIME ZONE 'UTC')::date + i) FROM generate_series(-1, 3) i;
INSERT INTO lane SELECT l FROM generate_series(0, 64) l;
INSERT INTO lane_head SELECT s, l FROM generate_series(1, 3) s, generate_series(0, 63) l;
