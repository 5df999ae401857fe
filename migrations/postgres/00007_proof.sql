-- +goose Up

-- What is known of the proof that what an endpoint accepted had its effect: when it was
-- accepted, how long the proof may take, until when with the time in which nobody could
-- ask, and how often the target was asked.
ALTER TABLE deliveries ADD COLUMN accepted_at timestamptz;
ALTER TABLE deliveries ADD COLUMN prove_within_us bigint;
ALTER TABLE deliveries ADD COLUMN prove_by timestamptz;
ALTER TABLE deliveries ADD COLUMN asks integer NOT NULL DEFAULT 0;
CREATE INDEX deliveries_verifying_idx ON deliveries (target, due_at, id) WHERE state = 'verifying';

-- The number of a question for proof; 0 for an attempt.
ALTER TABLE attempts ADD COLUMN ask integer NOT NULL DEFAULT 0;
