-- +goose Up

-- A row: what an operator did, or a bulk action that is worked page by page.
CREATE TABLE operator_actions (
    id         BLOB PRIMARY KEY NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    cursor     BLOB NOT NULL,               -- the last row that a bulk action has looked at
    matched    INTEGER NOT NULL DEFAULT 0,  -- how many rows it was to change when it began
    done       INTEGER NOT NULL DEFAULT 0,
    skipped    INTEGER NOT NULL DEFAULT 0,
    what       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('running', 'done', 'stopped', 'failed')),
    who        TEXT NOT NULL,
    via        TEXT NOT NULL,
    args       TEXT NOT NULL,               -- a JSON object
    error      TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX operator_actions_running_idx ON operator_actions (id) WHERE state = 'running';
CREATE INDEX operator_actions_ended_idx ON operator_actions (updated_at) WHERE state <> 'running';

-- A row: what an action changed. The delivery is the one that was retried, cancelled or
-- moved, or that a replay made; it is zero for a replay that no route takes.
CREATE TABLE operator_changes (
    event_id    BLOB NOT NULL,
    action_id   BLOB NOT NULL,
    delivery_id BLOB NOT NULL,
    PRIMARY KEY (event_id, action_id, delivery_id)
) WITHOUT ROWID;

-- When an operator retried a delivery last, and how many attempts were counted by then:
-- its age and its schedule begin there.
ALTER TABLE deliveries ADD COLUMN retried_at INTEGER;
ALTER TABLE deliveries ADD COLUMN retried_after INTEGER NOT NULL DEFAULT 0;

-- What was sent.
ALTER TABLE attempts ADD COLUMN request TEXT;
ALTER TABLE deliveries ADD COLUMN request TEXT;
