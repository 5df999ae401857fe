-- +goose Up

-- How far the history of a source's application has been read: nothing before
-- from_at is of interest, everything before read_to is known.
CREATE TABLE cursors (
    source  text PRIMARY KEY,
    from_at timestamptz NOT NULL,
    read_to timestamptz NOT NULL
);
