-- +goose Up

-- Which deliveries have changed since they were made, and when: what pages show of the last
-- minutes, and what tells them to look again. A new delivery costs it nothing.
CREATE INDEX deliveries_changed_idx ON deliveries (target, updated_at, state) WHERE updated_at <> created_at;
-- When endpoints were tried. Attempts that deliver at once are no rows here.
CREATE INDEX attempts_started_idx ON attempts (started_at, class) WHERE ask = 0;
