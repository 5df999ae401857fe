-- +goose Up

-- A row: how far the snapshot of a source has come, as JSON.
CREATE TABLE snapshots (
    source     text PRIMARY KEY,
    updated_at timestamptz NOT NULL DEFAULT now(),
    state      text NOT NULL
);
CREATE INDEX snapshots_updated_at_idx ON snapshots (updated_at);

-- A row: a title or a file that a source had when its snapshot was read last. No parent is
-- that of a title.
CREATE TABLE inventory (
    run      bigint NOT NULL,  -- that saw it last
    found_at timestamptz,
    source   text NOT NULL,
    key      text NOT NULL,
    parent   text NOT NULL,
    digest   text NOT NULL,    -- empty: nothing was told of it
    fields   text NOT NULL,    -- short hashes of what may change, by name
    about    bytea NOT NULL,   -- what its end has to tell
    found    bytea,            -- the item as it is now, which is to be told yet
    PRIMARY KEY (source, key)
);
CREATE INDEX inventory_titles_idx ON inventory (source, run, key) WHERE parent = '';
CREATE INDEX inventory_files_idx ON inventory (source, run, key) WHERE parent <> '';
CREATE INDEX inventory_parent_idx ON inventory (source, parent) WHERE parent <> '';
CREATE INDEX inventory_found_idx ON inventory (source, parent, key) WHERE found IS NOT NULL;
