-- The tables are Hookarr's own; the views are for others. Rows of what is gone stay, with
-- removed_at. The column state has what later events are compared with.
CREATE TABLE {}schema_version (
  id {int} PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  version {int} NOT NULL
);
CREATE TABLE {}sources (
  source text PRIMARY KEY,
  app text NOT NULL,
  instance text NOT NULL,
  event_time {time} NOT NULL,
  said text NOT NULL
);
CREATE TABLE {}titles (
  source text NOT NULL, kind text NOT NULL, app_id text NOT NULL,
  app text, title text, sort_title text, year {int}, release_date text, path text, overview text, genres {json}, original_language text,
  poster text, fanart text, tags {json}, monitored {bool}, quality_profile text, added_at {time}, certification text,
  runtime_minutes {int}, ids {json},
  event_time {time} NOT NULL, removed_at {time}, state text NOT NULL,
  PRIMARY KEY (source, kind, app_id)
);
CREATE INDEX titles_path ON {}titles (source, path);
CREATE TABLE {}title_ids (
  source text NOT NULL, kind text NOT NULL, app_id text NOT NULL, service text NOT NULL, ext_id text NOT NULL,
  PRIMARY KEY (source, kind, app_id, service)
);
CREATE INDEX title_ids_ext ON {}title_ids (service, ext_id);
CREATE TABLE {}parts (
  source text NOT NULL, kind text NOT NULL, part_id text NOT NULL,
  title_kind text NOT NULL, app_id text NOT NULL,
  season {int}, number {int}, code text, title text, air_date text, overview text,
  album_type text, release_date text, album_id text, track_number text, ids {json},
  event_time {time} NOT NULL, removed_at {time}, state text NOT NULL,
  PRIMARY KEY (source, kind, part_id)
);
CREATE INDEX parts_title ON {}parts (source, title_kind, app_id);
CREATE TABLE {}files (
  source text NOT NULL, file_id text NOT NULL,
  title_kind text, app_id text,
  path text, relative_path text, size_bytes {int}, quality text, quality_rank {int} NOT NULL, languages {json}, release_group text,
  scene_name text, edition text, media_info {json}, imported_at {time},
  event_time {time} NOT NULL, removed_at {time}, state text NOT NULL,
  PRIMARY KEY (source, file_id)
);
CREATE INDEX files_title ON {}files (source, title_kind, app_id);
CREATE INDEX files_path ON {}files (source, path);
CREATE TABLE {}file_parts (
  source text NOT NULL, file_id text NOT NULL, kind text NOT NULL, part_id text NOT NULL,
  PRIMARY KEY (source, file_id, kind, part_id)
);
CREATE INDEX file_parts_part ON {}file_parts (source, kind, part_id);
-- Who came to a path and left it, by event.
CREATE TABLE {}paths (
  source text NOT NULL, path text NOT NULL, said text NOT NULL, file_id text NOT NULL, moved_to text NOT NULL,
  PRIMARY KEY (source, path, said)
);
CREATE INDEX paths_moved_to ON {}paths (source, moved_to) WHERE moved_to <> '';
CREATE TABLE {}changes (
  seq {seq},
  at {time} NOT NULL, source text NOT NULL, kind text NOT NULL, app_id text NOT NULL, op text NOT NULL, fields {json} NOT NULL,
  file_id text, path text, old_path text, event_id text NOT NULL, event_time {time} NOT NULL
);
CREATE INDEX changes_at ON {}changes (at);
CREATE TABLE {}deliveries_seen (
  delivery_id text PRIMARY KEY,
  at {time} NOT NULL
);
CREATE INDEX deliveries_seen_at ON {}deliveries_seen (at);
