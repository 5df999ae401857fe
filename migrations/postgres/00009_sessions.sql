-- +goose Up

-- A row: a browser that somebody has signed in with. The id is the SHA-256 of what its
-- cookie holds, which alone tells nobody the cookie.
CREATE TABLE sessions (
    id         bytea PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),  -- to the minute
    expires_at timestamptz NOT NULL,
    who        text NOT NULL,
    via        text NOT NULL,
    role       text NOT NULL,
    agent      text NOT NULL,
    proof      bytea NOT NULL                       -- of the settings that have let it in, by the cookie
);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at, id);

-- A row: a link that signs in once, by the SHA-256 of its secret.
CREATE TABLE sign_in_links (
    id         bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    who        text NOT NULL
);
CREATE INDEX sign_in_links_expires_at_idx ON sign_in_links (expires_at);
