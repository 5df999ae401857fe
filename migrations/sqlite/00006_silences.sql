-- +goose Up

-- A row: events that operators want to hear nothing of, from a beginning to an end. No
-- target is every target.
CREATE TABLE silences (
    id         BLOB PRIMARY KEY NOT NULL,
    starts_at  INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    silenced   INTEGER NOT NULL DEFAULT 0,  -- how many deliveries it has cancelled
    target     TEXT NOT NULL,
    expression TEXT NOT NULL,
    who        TEXT NOT NULL,
    via        TEXT NOT NULL,
    comment    TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX silences_ends_at_idx ON silences (ends_at, id);
