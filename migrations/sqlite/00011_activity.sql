-- +goose Up

-- Which deliveries have changed since they were made, and when: what pages show of the last
-- minutes, and what tells them to look again. A new delivery costs it nothing. SQLite reads
-- an index alone only if that has every column of its own condition.
CREATE INDEX deliveries_changed_idx ON deliveries (target, updated_at, state, created_at) WHERE updated_at <> created_at;
-- When endpoints were tried. Attempts that deliver at once are no rows here.
CREATE INDEX attempts_started_idx ON attempts (started_at, class) WHERE ask = 0;
