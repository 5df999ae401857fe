-- +goose Up

-- A row: how far the snapshot of a source has come, as JSON.
CREATE TABLE snapshots (
    source     TEXT PRIMARY KEY NOT NULL,
    updated_at INTEGER NOT NULL,
    state      TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX snapshots_updated_at_idx ON snapshots (updated_at);

-- A row: a title or a file that a source had when its snapshot was read last. No parent is
-- that of a title.
CREATE TABLE inventory (
    run      INTEGER NOT NULL, -- that saw it last
    found_at INTEGER,
    source   TEXT NOT NULL,
    key      TEXT NOT NULL,
    parent   TEXT NOT NULL,
    digest   TEXT NOT NULL,    -- empty: nothing was told of it
    fields   TEXT NOT NULL,    -- short hashes of what may change, by name
    about    BLOB NOT NULL,    -- what its end has to tell
    found    BLOB,             -- the item as it is now, which is to be told yet
    PRIMARY KEY (source, key)
);
CREATE INDEX inventory_titles_idx ON inventory (source, run, key) WHERE parent = '';
CREATE INDEX inventory_files_idx ON inventory (source, run, key) WHERE parent <> '';
CREATE INDEX inventory_parent_idx ON inventory (source, parent) WHERE parent <> '';
CREATE INDEX inventory_found_idx ON inventory (source, parent, key) WHERE found IS NOT NULL;
