-- +goose Up

-- A row: the hold and the pace of a target. Targets that are well and have no rate need
-- none.
CREATE TABLE targets (
    name       TEXT PRIMARY KEY NOT NULL,
    hold       TEXT NOT NULL DEFAULT '', -- the kind; empty for none
    reason     TEXT NOT NULL DEFAULT '',
    since      INTEGER,
    until      INTEGER,                  -- when the hold ends by itself
    accused    BLOB,                     -- the delivery whose outcome began the hold
    witnessed  INTEGER NOT NULL DEFAULT 0,
    probe      BLOB,                     -- the delivery under way as a probe
    probe_at   INTEGER,
    probes     INTEGER NOT NULL DEFAULT 0,
    next_at    INTEGER,                  -- nothing is sent before
    pace       TEXT NOT NULL DEFAULT '', -- what next_at comes from
    pause_us   INTEGER NOT NULL DEFAULT 0,
    failures   INTEGER NOT NULL DEFAULT 0,
    arrival_at INTEGER                   -- the rate's theoretical arrival time
) WITHOUT ROWID;
CREATE INDEX targets_hold_idx ON targets (name) WHERE hold <> '';

INSERT INTO targets (name, hold, reason, since, probe_at, probes, witnessed)
SELECT target, kind, reason, since, probe_at, probes, probes > 0 FROM target_state
WHERE NOT draining AND kind <> 'unconfigured';
DROP TABLE target_state;

-- SQLite changes a CHECK by a new table alone.
CREATE TABLE deliveries_new (
    id         BLOB PRIMARY KEY NOT NULL,
    event_id   BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    crashes    INTEGER NOT NULL DEFAULT 0,
    suspect    INTEGER NOT NULL DEFAULT 0,
    target     TEXT NOT NULL,
    route      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'verifying', 'delivered', 'superseded', 'dead', 'cancelled')),
    reason     TEXT NOT NULL DEFAULT '',
    message_id TEXT NOT NULL DEFAULT '',
    receipt    BLOB,
    -- The figures of the attempt that was delivered.
    sent_at    INTEGER,
    elapsed_us INTEGER,
    status     INTEGER,
    excerpt    TEXT
) WITHOUT ROWID;
INSERT INTO deliveries_new (id, event_id, created_at, updated_at, due_at, attempts, crashes, suspect, target, route, state,
    reason, message_id, receipt)
SELECT id, event_id, created_at, updated_at, iif(state = 'held' OR not_before = 0, created_at, not_before), attempts, crashes, suspect,
    target, route, iif(state = 'held', 'pending', state), iif(state = 'held', '', reason), message_id, receipt
FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_new RENAME TO deliveries;
CREATE INDEX deliveries_event_idx ON deliveries (event_id);
CREATE INDEX deliveries_due_idx ON deliveries (target, due_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_target_idx ON deliveries (state, target, id);
CREATE INDEX deliveries_dead_idx ON deliveries (updated_at) WHERE state = 'dead';

-- A row: a request or a record that told what a stored event had told.
CREATE TABLE repetitions (
    id       BLOB PRIMARY KEY NOT NULL, -- of the event that it would have been
    event_id BLOB NOT NULL,
    seen_at  INTEGER NOT NULL,
    origin   TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX repetitions_event_idx ON repetitions (event_id, id);

-- purge_after is when an event is looked at next by what deletes old ones.
ALTER TABLE events ADD COLUMN purge_after INTEGER NOT NULL DEFAULT 0;
UPDATE events SET purge_after = received_at;
DROP INDEX events_received_at_idx;
DROP INDEX events_deferred_idx;
CREATE INDEX events_purge_idx ON events (purge_after);
-- Lists without a state are merged from those of each, and lists of a state alone from
-- those of each source, so that three indexes serve every combination.
CREATE INDEX events_source_idx ON events (state, source, id);
CREATE INDEX events_type_idx ON events (type, state, id);
CREATE INDEX events_source_type_idx ON events (source, type, state, id);
CREATE INDEX events_renames_idx ON events (source, id) WHERE type = 'file.renamed';
CREATE INDEX events_fingerprint_idx ON events (fingerprint, received_at) WHERE fingerprint <> '';
