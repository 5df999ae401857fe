-- +goose Up

-- A row: a browser that somebody has signed in with. The id is the SHA-256 of what its
-- cookie holds, which alone tells nobody the cookie.
CREATE TABLE sessions (
    id         BLOB PRIMARY KEY NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,  -- to the minute
    expires_at INTEGER NOT NULL,
    who        TEXT NOT NULL,
    via        TEXT NOT NULL,
    role       TEXT NOT NULL,
    agent      TEXT NOT NULL,
    proof      BLOB NOT NULL      -- of the settings that have let it in, by the cookie
) WITHOUT ROWID;
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at, id);

-- A row: a link that signs in once, by the SHA-256 of its secret.
CREATE TABLE sign_in_links (
    id         BLOB PRIMARY KEY NOT NULL,
    expires_at INTEGER NOT NULL,
    who        TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sign_in_links_expires_at_idx ON sign_in_links (expires_at);
