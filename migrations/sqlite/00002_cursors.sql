-- +goose Up

-- How far the history of a source's application has been read: nothing before
-- from_at is of interest, everything before read_to is known.
CREATE TABLE cursors (
    source  TEXT PRIMARY KEY NOT NULL,
    from_at INTEGER NOT NULL,
    read_to INTEGER NOT NULL
) WITHOUT ROWID;
