-- +goose Up

-- The span that took the event in, by W3C Trace Context; empty where it was not traced.
ALTER TABLE events ADD COLUMN traceparent TEXT NOT NULL DEFAULT '';
