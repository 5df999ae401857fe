-- +goose Up

-- Rows are referred to without foreign keys: they are written together in one
-- transaction and deleted by one statement, and a check per row costs about as much
-- as writing the row.

CREATE TABLE events (
    id              uuid PRIMARY KEY,
    received_at     timestamptz NOT NULL,
    crashes         integer NOT NULL DEFAULT 0,
    source          text NOT NULL,
    state           text NOT NULL CHECK (state IN ('deferred', 'routed', 'undecodable', 'duplicate')),
    origin          text NOT NULL,
    type            text NOT NULL,
    title           text NOT NULL,
    summary         text NOT NULL,
    fingerprint     text NOT NULL,
    correlation_key text NOT NULL,
    reason          text NOT NULL,
    method          text NOT NULL,
    query           text NOT NULL,
    header          text NOT NULL, -- a JSON object of arrays
    body            bytea NOT NULL,
    normalized      bytea
);
-- Compressing the usual 2 KiB body costs more than storing it.
ALTER TABLE events SET (toast_tuple_target = 8160);
CREATE INDEX events_received_at_idx ON events (received_at);
CREATE INDEX events_deferred_idx ON events (id) WHERE state = 'deferred';

CREATE TABLE deliveries (
    id         uuid PRIMARY KEY,
    event_id   uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    not_before timestamptz NOT NULL DEFAULT 'epoch', -- the epoch: at once
    attempts   integer NOT NULL DEFAULT 0,
    crashes    integer NOT NULL DEFAULT 0,
    suspect    boolean NOT NULL DEFAULT false,
    target     text NOT NULL,
    route      text NOT NULL,
    state      text NOT NULL CHECK (state IN ('pending', 'held', 'delivered', 'superseded', 'dead', 'cancelled')),
    reason     text NOT NULL DEFAULT '',
    message_id text NOT NULL DEFAULT '',
    receipt    bytea
);
CREATE INDEX deliveries_event_idx ON deliveries (event_id);
CREATE INDEX deliveries_pending_idx ON deliveries (target, not_before) WHERE state = 'pending';
CREATE INDEX deliveries_held_idx ON deliveries (target, id) WHERE state = 'held';
CREATE INDEX deliveries_dead_idx ON deliveries (updated_at) WHERE state = 'dead';

CREATE TABLE attempts (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    delivery_id uuid NOT NULL,
    started_at  timestamptz NOT NULL,
    elapsed_us  bigint NOT NULL,
    number      integer NOT NULL,
    status      integer NOT NULL,
    counted     boolean NOT NULL,
    class       text NOT NULL,
    message     text NOT NULL,
    excerpt     text NOT NULL,
    PRIMARY KEY (delivery_id, id)
);

-- A row: the target is on hold, or drains what it could not take.
CREATE TABLE target_state (
    target   text PRIMARY KEY,
    since    timestamptz NOT NULL DEFAULT now(),
    probe_at timestamptz,
    probe    uuid,
    probes   integer NOT NULL DEFAULT 0,
    draining boolean NOT NULL DEFAULT false,
    kind     text NOT NULL,
    reason   text NOT NULL
);

-- story ties the keys that another event may free to an event type and a
-- correlation key; null for keys that only time frees.
CREATE TABLE dedup (
    event_id   uuid NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    source     text NOT NULL,
    key        text NOT NULL,
    story      text,
    PRIMARY KEY (source, key)
);
CREATE INDEX dedup_expires_at_idx ON dedup (expires_at);
CREATE INDEX dedup_story_idx ON dedup (source, story) WHERE story IS NOT NULL;

CREATE TABLE nodes (
    name      text PRIMARY KEY,
    joined_at timestamptz NOT NULL DEFAULT now(),
    beat_at   timestamptz NOT NULL DEFAULT now()
);
