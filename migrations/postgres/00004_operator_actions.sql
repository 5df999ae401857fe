-- +goose Up

-- A row: what an operator did, or a bulk action that is worked page by page.
CREATE TABLE operator_actions (
    id         uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    cursor     uuid NOT NULL,               -- the last row that a bulk action has looked at
    matched    integer NOT NULL DEFAULT 0,  -- how many rows it was to change when it began
    done       integer NOT NULL DEFAULT 0,
    skipped    integer NOT NULL DEFAULT 0,
    what       text NOT NULL,
    state      text NOT NULL CHECK (state IN ('running', 'done', 'stopped', 'failed')),
    who        text NOT NULL,
    via        text NOT NULL,
    args       text NOT NULL,               -- a JSON object
    error      text NOT NULL DEFAULT ''
);
CREATE INDEX operator_actions_running_idx ON operator_actions (id) WHERE state = 'running';
CREATE INDEX operator_actions_ended_idx ON operator_actions (updated_at) WHERE state <> 'running';

-- A row: what an action changed. The delivery is the one that was retried, cancelled or
-- moved, or that a replay made; it is zero for a replay that no route takes.
CREATE TABLE operator_changes (
    event_id    uuid NOT NULL,
    action_id   uuid NOT NULL,
    delivery_id uuid NOT NULL,
    PRIMARY KEY (event_id, action_id, delivery_id)
);

-- When an operator retried a delivery last, and how many attempts were counted by then:
-- its age and its schedule begin there.
ALTER TABLE deliveries ADD COLUMN retried_at timestamptz, ADD COLUMN retried_after integer NOT NULL DEFAULT 0;

-- What was sent.
ALTER TABLE attempts ADD COLUMN request text;
ALTER TABLE deliveries ADD COLUMN request text;
