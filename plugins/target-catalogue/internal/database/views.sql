-- The views are what other programs may count on. They are the same in both databases: columns
-- and views are added, and none is renamed or removed. Lists are JSON arrays.
CREATE VIEW {}works AS
SELECT i.kind, i.service, i.ext_id, min(t.title) AS title, min(t.year) AS year, {array}(DISTINCT t.source ORDER BY t.source) AS sources,
  (SELECT f.quality
     FROM {}title_ids j JOIN {}files f ON f.source = j.source AND f.title_kind = j.kind AND f.app_id = j.app_id AND f.removed_at IS NULL
     WHERE j.kind = i.kind AND j.service = i.service AND j.ext_id = i.ext_id AND f.quality IS NOT NULL
     ORDER BY f.quality_rank DESC, f.size_bytes DESC, f.file_id LIMIT 1) AS best_quality,
  EXISTS (SELECT 1
     FROM {}title_ids j JOIN {}files f ON f.source = j.source AND f.title_kind = j.kind AND f.app_id = j.app_id AND f.removed_at IS NULL
     WHERE j.kind = i.kind AND j.service = i.service AND j.ext_id = i.ext_id) AS has_file
FROM {}title_ids i JOIN {}titles t ON t.source = i.source AND t.kind = i.kind AND t.app_id = i.app_id
WHERE t.removed_at IS NULL
GROUP BY i.kind, i.service, i.ext_id;

CREATE VIEW {}library AS
SELECT t.source, t.app, t.kind, t.app_id AS id, t.title, t.sort_title, t.year, t.release_date, t.path, t.overview, t.genres,
  t.original_language, t.poster, t.fanart, t.tags, t.monitored, t.quality_profile, t.added_at, t.certification, t.runtime_minutes, t.ids,
  (SELECT count(*) FROM {}files f WHERE f.source = t.source AND f.title_kind = t.kind AND f.app_id = t.app_id AND f.removed_at IS NULL) AS file_count,
  (SELECT sum(f.size_bytes) FROM {}files f WHERE f.source = t.source AND f.title_kind = t.kind AND f.app_id = t.app_id AND f.removed_at IS NULL) AS size_bytes,
  t.event_time AS updated_at
FROM {}titles t WHERE t.removed_at IS NULL;

CREATE VIEW {}movies AS
SELECT t.source, t.app_id AS movie_id, t.kind, t.title, t.sort_title, t.year, t.release_date, t.ids->>'tmdb' AS tmdb_id, t.ids->>'imdb' AS imdb_id,
  t.ids->>'stash' AS stash_id, t.path, t.overview, t.genres, t.tags, t.original_language, t.certification, t.runtime_minutes, t.poster, t.fanart,
  t.monitored, t.quality_profile, t.added_at, f.file_id IS NOT NULL AS has_file, f.file_id, f.path AS file_path, f.quality, f.size_bytes, f.edition,
  f.languages, f.release_group, f.media_info, f.imported_at, t.event_time AS updated_at
FROM {}titles t
LEFT JOIN {}files f ON f.source = t.source AND f.file_id = (
  SELECT b.file_id FROM {}files b WHERE b.source = t.source AND b.title_kind = t.kind AND b.app_id = t.app_id AND b.removed_at IS NULL
  ORDER BY b.quality_rank DESC, b.size_bytes DESC, b.file_id LIMIT 1)
WHERE t.kind IN ('movie', 'scene') AND t.removed_at IS NULL;

CREATE VIEW {}series AS
SELECT t.source, t.app_id AS series_id, t.title, t.sort_title, t.year, t.ids->>'tvdb' AS tvdb_id, t.ids->>'tmdb' AS tmdb_id, t.ids->>'imdb' AS imdb_id,
  t.path, t.overview, t.genres, t.tags, t.original_language, t.certification, t.runtime_minutes, t.poster, t.fanart, t.monitored,
  t.quality_profile, t.added_at,
  (SELECT count(*) FROM {}parts p WHERE p.source = t.source AND p.kind = 'episode' AND p.title_kind = t.kind AND p.app_id = t.app_id
     AND p.removed_at IS NULL) AS episode_count,
  (SELECT count(*) FROM {}files f WHERE f.source = t.source AND f.title_kind = t.kind AND f.app_id = t.app_id AND f.removed_at IS NULL) AS file_count,
  t.event_time AS updated_at
FROM {}titles t WHERE t.kind = 'series' AND t.removed_at IS NULL;

CREATE VIEW {}episodes AS
SELECT p.source, p.part_id AS episode_id, p.app_id AS series_id, t.title AS series_title, p.season, p.number, p.code, p.title, p.air_date, p.overview,
  f.file_id IS NOT NULL AS has_file, f.file_id, f.path AS file_path, f.quality, f.size_bytes, f.languages, f.media_info, f.imported_at,
  p.event_time AS updated_at
FROM {}parts p
JOIN {}titles t ON t.source = p.source AND t.kind = p.title_kind AND t.app_id = p.app_id AND t.removed_at IS NULL
LEFT JOIN {}files f ON f.source = p.source AND f.file_id = (
  SELECT b.file_id FROM {}file_parts l JOIN {}files b ON b.source = l.source AND b.file_id = l.file_id AND b.removed_at IS NULL
  WHERE l.source = p.source AND l.kind = p.kind AND l.part_id = p.part_id
  ORDER BY b.quality_rank DESC, b.size_bytes DESC, b.file_id LIMIT 1)
WHERE p.kind = 'episode' AND p.removed_at IS NULL;

CREATE VIEW {}artists AS
SELECT t.source, t.app_id AS artist_id, t.title AS name, t.sort_title AS sort_name, t.ids->>'musicbrainz' AS musicbrainz_id, t.path, t.overview, t.genres,
  t.tags, t.poster, t.fanart, t.monitored, t.quality_profile, t.added_at,
  (SELECT count(*) FROM {}parts p WHERE p.source = t.source AND p.kind = 'album' AND p.title_kind = t.kind AND p.app_id = t.app_id
     AND p.removed_at IS NULL) AS album_count,
  (SELECT count(*) FROM {}files f WHERE f.source = t.source AND f.title_kind = t.kind AND f.app_id = t.app_id AND f.removed_at IS NULL) AS file_count,
  t.event_time AS updated_at
FROM {}titles t WHERE t.kind = 'artist' AND t.removed_at IS NULL;

CREATE VIEW {}albums AS
SELECT p.source, p.part_id AS album_id, p.app_id AS artist_id, t.title AS artist_name, p.title, p.album_type, p.release_date,
  p.ids->>'musicbrainz' AS musicbrainz_id,
  (SELECT count(*) FROM {}file_parts l JOIN {}files f ON f.source = l.source AND f.file_id = l.file_id AND f.removed_at IS NULL
     WHERE l.source = p.source AND l.kind = p.kind AND l.part_id = p.part_id) AS file_count,
  p.event_time AS updated_at
FROM {}parts p
JOIN {}titles t ON t.source = p.source AND t.kind = p.title_kind AND t.app_id = p.app_id AND t.removed_at IS NULL
WHERE p.kind = 'album' AND p.removed_at IS NULL;

CREATE VIEW {}tracks AS
SELECT p.source, p.part_id AS track_id, p.album_id, p.app_id AS artist_id, p.track_number, p.title, p.event_time AS updated_at
FROM {}parts p
JOIN {}titles t ON t.source = p.source AND t.kind = p.title_kind AND t.app_id = p.app_id AND t.removed_at IS NULL
WHERE p.kind = 'track' AND p.removed_at IS NULL;

CREATE VIEW {}books AS
SELECT t.source, t.app_id AS book_id, t.title, t.sort_title, t.release_date, t.ids->>'goodreads' AS goodreads_id, t.ids->>'isbn' AS isbn,
  t.ids->>'asin' AS asin, t.path AS author_path, t.poster, t.monitored, t.quality_profile,
  (SELECT count(*) FROM {}files f WHERE f.source = t.source AND f.title_kind = t.kind AND f.app_id = t.app_id AND f.removed_at IS NULL) AS file_count,
  t.event_time AS updated_at
FROM {}titles t WHERE t.kind = 'book' AND t.removed_at IS NULL;

CREATE VIEW {}media_files AS
SELECT f.source, f.file_id, f.title_kind AS kind, f.app_id AS id, t.title, f.path, f.relative_path, f.size_bytes, f.quality, f.languages,
  f.release_group, f.scene_name, f.edition, f.media_info, f.imported_at, f.event_time AS updated_at
FROM {}files f
LEFT JOIN {}titles t ON t.source = f.source AND t.kind = f.title_kind AND t.app_id = f.app_id
WHERE f.removed_at IS NULL;

CREATE VIEW {}file_contents AS
SELECT l.source, l.file_id, l.kind, l.part_id
FROM {}file_parts l
JOIN {}files f ON f.source = l.source AND f.file_id = l.file_id AND f.removed_at IS NULL
JOIN {}parts p ON p.source = l.source AND p.kind = l.kind AND p.part_id = l.part_id AND p.removed_at IS NULL;

CREATE VIEW {}instances AS
SELECT source, app, instance, event_time AS updated_at FROM {}sources;

CREATE VIEW {}feed AS
SELECT seq, at, source, kind, app_id AS id, op, fields, file_id, path, old_path, event_id, event_time FROM {}changes;
