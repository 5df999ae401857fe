-- +goose Up

-- One row: what there is to know of the database itself, and of the move into it or out of
-- it. It is not copied.
CREATE TABLE database_state (
    id       BLOB PRIMARY KEY NOT NULL,
    state    TEXT NOT NULL DEFAULT '' CHECK (state IN ('', 'moving', 'moved', 'filling', 'filled')),
    move     BLOB,                     -- that the state is of
    since    INTEGER,
    peer     TEXT NOT NULL DEFAULT '', -- the other database, without its password
    progress TEXT NOT NULL DEFAULT ''  -- how far filling has come, as JSON
) WITHOUT ROWID;
INSERT INTO database_state (id) VALUES (randomblob(16));
