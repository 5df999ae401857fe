-- +goose Up

-- A row: events that operators want to hear nothing of, from a beginning to an end. No
-- target is every target.
CREATE TABLE silences (
    id         uuid PRIMARY KEY,
    starts_at  timestamptz NOT NULL DEFAULT now(),
    ends_at    timestamptz NOT NULL,
    silenced   bigint NOT NULL DEFAULT 0,   -- how many deliveries it has cancelled
    target     text NOT NULL,
    expression text NOT NULL,
    who        text NOT NULL,
    via        text NOT NULL,
    comment    text NOT NULL
);
CREATE INDEX silences_ends_at_idx ON silences (ends_at, id);
