-- runs_from: 0.1.0
--
-- What leaves the journal, and what stays of it. Inbox, outbox, attempt and progress go by the day; decision and record stay,
-- they are what is proved. A dropped day leaves its totals in book, positions that nothing moved since in progress, and the
-- last word on what people can still ask for in ended.
SET search_path = isthmus;

CREATE TABLE book (                    -- terms of the two books that are no longer counted from their own tables
  day date PRIMARY KEY, inbox bigint NOT NULL DEFAULT 0, routed bigint NOT NULL DEFAULT 0, quarantined bigint NOT NULL DEFAULT 0,
  dropped bigint NOT NULL DEFAULT 0,
  made bigint NOT NULL DEFAULT 0, delivered bigint NOT NULL DEFAULT 0, duplicate bigint NOT NULL DEFAULT 0,
  expired bigint NOT NULL DEFAULT 0,
  journal_gone bool NOT NULL DEFAULT false);  -- the day's partitions were dropped; else only old ledger rows of it
CREATE TABLE ended (                   -- closing attempts of posts and of parked commands, when their day was dropped
  lane smallint NOT NULL, command uuid NOT NULL, verdict smallint, remote_id text, remote_url text, reason text,
  attempts int NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (command, lane));
-- Rows come in the order of their time, so a few pages of index find those that are too old.
CREATE INDEX ON event_key USING brin (at);
CREATE INDEX ON ledger USING brin (at);

-- Drops one day of the journal, or says why not (unread, in_flight, working, busy) and how many rows are the reason. The order
-- of days is the caller's: a command that still needs its attempts keeps its own day, and so all later ones.
CREATE FUNCTION drop_journal_day(d date, OUT reason text, OUT waiting bigint) LANGUAGE plpgsql
  SET timezone = 'UTC' SET search_path = isthmus AS $$
DECLARE suffix text := to_char(d, '_YYYYMMDD'); BEGIN
  waiting := 0;
  IF NOT pg_try_advisory_xact_lock(1769173864, 4) THEN reason := 'busy'; RETURN; END IF;
  IF to_regclass('isthmus.inbox' || suffix) IS NULL THEN RETURN; END IF;  -- another node was faster

  EXECUTE format('SELECT count(*) FROM %I i LEFT JOIN (SELECT lane, max(position) AS p FROM progress WHERE stage = 1 AND '
    'connection = 0 GROUP BY lane) pos USING (lane) WHERE i.seq > coalesce(pos.p, 0) OR EXISTS (SELECT 1 FROM parked p WHERE '
    'p.stage = 1 AND p.state = 4 AND p.lane = i.lane AND p.seq = i.seq)', 'inbox' || suffix) INTO waiting;
  IF waiting > 0 THEN reason := 'unread'; RETURN; END IF;
  EXECUTE format('SELECT count(*) FROM %I o LEFT JOIN (SELECT lane, connection, max(position) AS p FROM progress WHERE stage '
    '= 2 GROUP BY lane, connection) pos USING (lane, connection) WHERE o.seq > coalesce(pos.p, 0)', 'outbox' || suffix)
    INTO waiting;
  IF waiting > 0 THEN reason := 'in_flight'; RETURN; END IF;
  EXECUTE format('SELECT count(*) FROM parked p WHERE p.state IN (1, 2, 3) AND EXISTS (SELECT 1 FROM %I a WHERE a.lane = '
    'p.lane AND a.command = p.command)', 'attempt' || suffix) INTO waiting;
  IF waiting > 0 THEN reason := 'working'; RETURN; END IF;

  INSERT INTO book (day) VALUES (d) ON CONFLICT DO NOTHING;
  -- A call that is still quarantined stays so in the books, whatever becomes of its parked row.
  EXECUTE format('UPDATE book SET inbox = n, routed = r, quarantined = q, dropped = w FROM (SELECT count(*) AS n, count(*) '
    'FILTER (WHERE p.seq IS NULL) AS r, count(*) FILTER (WHERE p.state = 7) AS q, count(*) FILTER (WHERE p.state = 6) AS w '
    'FROM %I i LEFT JOIN parked p ON p.lane = i.lane AND p.stage = 1 AND p.seq = i.seq) c WHERE day = $1', 'inbox' || suffix)
    USING d;
  -- An end that was written twice around midnight counts with the later day.
  EXECUTE format('UPDATE book SET delivered = n1, duplicate = n2, expired = n10, journal_gone = true FROM (SELECT count(*) '
    'FILTER (WHERE verdict = 1) AS n1, count(*) FILTER (WHERE verdict = 2) AS n2, count(*) FILTER (WHERE verdict = 10) AS n10 '
    'FROM (SELECT DISTINCT ON (lane, command) lane, command, verdict, closing FROM %I WHERE closing OR phase = 2 ORDER BY '
    'lane, command, n DESC, phase, at DESC) l WHERE closing AND NOT EXISTS (SELECT 1 FROM attempt b WHERE b.at >= $1 + 1 AND '
    'b.at < $1 + 2 AND b.lane = l.lane AND b.command = l.command AND (b.closing OR b.phase = 2))) c WHERE day = $1',
    'attempt' || suffix) USING d;
  EXECUTE format('INSERT INTO ended (lane, command, verdict, remote_id, remote_url, reason, attempts, at) SELECT DISTINCT ON '
    '(lane, command) lane, command, verdict, remote_id, remote_url, reason, n, at FROM %I a WHERE closing AND (EXISTS (SELECT '
    '1 FROM post_target t WHERE t.command = a.command) OR EXISTS (SELECT 1 FROM parked p WHERE p.command = a.command)) ORDER '
    'BY lane, command, n DESC, at DESC ON CONFLICT (command, lane) DO UPDATE SET verdict = EXCLUDED.verdict, remote_id = '
    'EXCLUDED.remote_id, remote_url = EXCLUDED.remote_url, reason = EXCLUDED.reason, attempts = EXCLUDED.attempts, at = '
    'EXCLUDED.at', 'attempt' || suffix);
  -- A reader takes the highest position of its key, so one that is behind by now does no harm.
  EXECUTE format('INSERT INTO progress (lane, stage, connection, position) SELECT lane, stage, connection, max(position) FROM '
    '%I GROUP BY lane, stage, connection', 'progress' || suffix);

  -- Taking a partition away stops every statement on its table for a moment: wait for that moment, but never long.
  PERFORM set_config('lock_timeout', '500ms', true);
  EXECUTE format('DROP TABLE %I, %I, %I, %I', 'inbox' || suffix, 'outbox' || suffix, 'attempt' || suffix, 'progress' || suffix);
  -- What was sealed just before midnight may stand in the day after, so a key goes with that one.
  DELETE FROM journal_key WHERE id < d - date '1970-01-01';
END $$;
