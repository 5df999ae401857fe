-- +goose Up

-- One row: what there is to know of the database itself, and of the move into it or out of
-- it. It is not copied.
CREATE TABLE database_state (
    id       uuid PRIMARY KEY,
    state    text NOT NULL DEFAULT '' CHECK (state IN ('', 'moving', 'moved', 'filling', 'filled')),
    move     uuid,                     -- that the state is of
    since    timestamptz,
    peer     text NOT NULL DEFAULT '', -- the other database, without its password
    progress text NOT NULL DEFAULT ''  -- how far filling has come, as JSON
);
INSERT INTO database_state (id) VALUES (gen_random_uuid());
