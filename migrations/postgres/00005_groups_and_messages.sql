-- +goose Up

-- A delivery with a group's key may have several events. Until it is closed, others join it,
-- and due_at is when it is to be closed.
ALTER TABLE deliveries
    ADD COLUMN group_key text NOT NULL DEFAULT '',
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN members integer NOT NULL DEFAULT 1,
    ADD COLUMN superseded_by uuid,               -- the delivery that tells what this one was to tell
    ADD COLUMN note text NOT NULL DEFAULT '';    -- why it is not as it was to be
CREATE UNIQUE INDEX deliveries_open_idx ON deliveries (target, route, group_key)
    WHERE group_key <> '' AND closed_at IS NULL AND state = 'pending';

-- A row: an event of a group. Deliveries of one event have none.
CREATE TABLE delivery_events (
    delivery_id uuid NOT NULL,
    event_id    uuid NOT NULL,
    PRIMARY KEY (delivery_id, event_id)
);
CREATE INDEX delivery_events_event_idx ON delivery_events (event_id);

-- A row: the message that tells a story at a target, so that it can be edited, and the
-- delivery that has the message under way.
CREATE TABLE correlations (
    target       text NOT NULL,
    key          text NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    delivery_id  uuid,                           -- the last that the message shows
    message_id   text NOT NULL DEFAULT '',
    receipt      bytea,
    type         text NOT NULL DEFAULT '',       -- of the latest event that it shows
    time         timestamptz,                    -- of that event
    posted_at    timestamptz,
    leased_by    uuid,
    leased_until timestamptz,
    PRIMARY KEY (target, key)
);
CREATE INDEX correlations_updated_at_idx ON correlations (updated_at);

-- A row: an event that the message tells.
CREATE TABLE correlation_events (
    target   text NOT NULL,
    key      text NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (target, key, event_id)
);

-- A row: a file that was deleted for an upgrade, with the deliveries that tell of either.
CREATE TABLE folds (
    target     text NOT NULL,
    key        text NOT NULL,
    expires_at timestamptz NOT NULL,
    deletion   uuid,
    upgrade    uuid,
    PRIMARY KEY (target, key)
);
CREATE INDEX folds_expires_at_idx ON folds (expires_at);
