-- +goose Up

-- A row: what all nodes share of a target, its hold and its pace. Targets that are well
-- and have no rate need none.
CREATE TABLE targets (
    name       text PRIMARY KEY,
    hold       text NOT NULL DEFAULT '', -- the kind; empty for none
    reason     text NOT NULL DEFAULT '',
    since      timestamptz,
    until      timestamptz,              -- when the hold ends by itself
    accused    uuid,                     -- the delivery whose outcome began the hold
    witnessed  boolean NOT NULL DEFAULT false,
    probe      uuid,                     -- the delivery under way as a probe
    probe_at   timestamptz,
    probes     integer NOT NULL DEFAULT 0,
    next_at    timestamptz,              -- nothing is sent before
    pace       text NOT NULL DEFAULT '', -- what next_at comes from
    pause_us   bigint NOT NULL DEFAULT 0,
    failures   integer NOT NULL DEFAULT 0,
    arrival_at timestamptz               -- the rate's theoretical arrival time
);
CREATE INDEX targets_hold_idx ON targets (name) WHERE hold <> '';

INSERT INTO targets (name, hold, reason, since, probe_at, probes, witnessed)
SELECT target, kind, reason, since, probe_at, probes, probes > 0 FROM target_state
WHERE NOT draining AND kind <> 'unconfigured';
DROP TABLE target_state;

ALTER TABLE deliveries DROP CONSTRAINT deliveries_state_check;
DROP INDEX deliveries_pending_idx;
DROP INDEX deliveries_held_idx;
DROP INDEX deliveries_dead_idx;
ALTER TABLE deliveries RENAME COLUMN not_before TO due_at;
ALTER TABLE deliveries ALTER COLUMN due_at SET DEFAULT now();
-- The figures of the attempt that was delivered.
ALTER TABLE deliveries ADD COLUMN sent_at timestamptz, ADD COLUMN elapsed_us bigint, ADD COLUMN status integer, ADD COLUMN excerpt text;
UPDATE deliveries SET state = 'pending', reason = '', due_at = created_at WHERE state = 'held';
UPDATE deliveries SET due_at = created_at WHERE due_at = 'epoch';
ALTER TABLE deliveries ADD CONSTRAINT deliveries_state_check
    CHECK (state IN ('pending', 'verifying', 'delivered', 'superseded', 'dead', 'cancelled'));
CREATE INDEX deliveries_due_idx ON deliveries (target, due_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_target_idx ON deliveries (state, target, id);
CREATE INDEX deliveries_dead_idx ON deliveries (updated_at) WHERE state = 'dead';

-- A row: a request or a record that told what a stored event had told.
CREATE TABLE repetitions (
    id       uuid PRIMARY KEY, -- of the event that it would have been
    event_id uuid NOT NULL,
    seen_at  timestamptz NOT NULL DEFAULT now(),
    origin   text NOT NULL
);
CREATE INDEX repetitions_event_idx ON repetitions (event_id, id);

-- purge_after is when an event is looked at next by what deletes old ones.
ALTER TABLE events ADD COLUMN purge_after timestamptz;
UPDATE events SET purge_after = received_at;
ALTER TABLE events ALTER COLUMN purge_after SET NOT NULL;
DROP INDEX events_received_at_idx;
DROP INDEX events_deferred_idx;
CREATE INDEX events_purge_idx ON events (purge_after);
-- Lists without a state are merged from those of each, and lists of a state alone from
-- those of each source, so that three indexes serve every combination.
CREATE INDEX events_source_idx ON events (state, source, id);
CREATE INDEX events_type_idx ON events (type, state, id);
-- Its ids go the other way: else the planner may take an index of two of its columns, and
-- filter by the third.
CREATE INDEX events_source_type_idx ON events (source, type, state, id DESC NULLS LAST);
CREATE INDEX events_renames_idx ON events (source, id) WHERE type = 'file.renamed';
CREATE INDEX events_fingerprint_idx ON events (fingerprint, received_at) WHERE fingerprint <> '';

ALTER TABLE nodes ADD COLUMN steady_since timestamptz NOT NULL DEFAULT now();
