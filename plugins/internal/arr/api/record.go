package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// maxRecords bounds the records of an answer, which are read into some 600 bytes
	// each beside their texts. One of an application takes about as much.
	maxRecords = 32_000
	// recordRenamed ends the types of records of files that got another path.
	recordRenamed = "FileRenamed"
)

// Record is one entry of an application's history. An application writes one for
// every movie, episode or track, so that a webhook can be told in several.
type Record struct {
	ID          arr.ID
	Date        time.Time
	EventType   string
	SourceTitle string
	DownloadID  string
	Quality     arr.Name
	Languages   arr.Names

	CustomFormats     arr.Names
	CustomFormatScore arr.Number

	MovieID   arr.ID
	SeriesID  arr.ID
	EpisodeID arr.ID
	ArtistID  arr.ID
	AlbumID   arr.ID
	TrackID   arr.ID

	Data Data

	// raw is the record as the application sent it.
	raw json.RawMessage
}

// Data is what a record says more, as far as anybody wants to know it. All of it are
// strings; which there are depends on the type of the record.
type Data struct {
	Indexer            string
	ReleaseGroup       string
	DownloadClient     string
	DownloadClientName string
	Size               arr.Number
	CustomFormatScore  arr.Number
	IndexerFlags       arr.Names
	FileID             arr.ID
	DroppedPath        string
	ImportedPath       string
	Reason             string
	SourcePath         string
	Path               string
	RelativePath       string
}

// Is reports whether the record has a type, as the application spells it.
func (r *Record) Is(eventType string) bool { return strings.EqualFold(r.EventType, eventType) }

func (r *Record) position() position {
	// Ids count up from 1.
	id, _ := strconv.ParseInt(string(r.ID), 10, 64)
	return position{r.Date, id}
}

// Payload is what webhooks have in common, as far as the record knows it.
func (r *Record) Payload(eventType string) arr.Payload {
	p := arr.Payload{
		EventType:          eventType,
		DownloadID:         r.DownloadID,
		DownloadClient:     cmp.Or(r.Data.DownloadClientName, r.Data.DownloadClient),
		DownloadClientType: r.Data.DownloadClient,
		Release: arr.Release{
			ReleaseTitle:      r.SourceTitle,
			ReleaseGroup:      r.Data.ReleaseGroup,
			Indexer:           r.Data.Indexer,
			Size:              r.Data.Size,
			Quality:           r.Quality,
			Languages:         r.Languages,
			CustomFormats:     r.CustomFormats,
			CustomFormatScore: cmp.Or(r.Data.CustomFormatScore, r.CustomFormatScore),
			IndexerFlags:      r.Data.IndexerFlags,
		},
	}
	if r.Data.DownloadClientName == "" {
		p.DownloadClientType = ""
	}
	return p
}

// File is the file that the record is about, as far as the record knows it. The title
// of a record may be the file's path, or its relative one.
func (r *Record) File() arr.File {
	path, relative := cmp.Or(r.Data.ImportedPath, r.Data.Path), r.Data.RelativePath
	switch {
	case path != "" || relative != "":
	case absolute(r.SourceTitle):
		path = r.SourceTitle
	default:
		relative = r.SourceTitle
	}
	return arr.File{
		ID:           r.Data.FileID,
		Path:         path,
		RelativePath: relative,
		Previous:     &arr.Previous{PreviousPath: r.Data.SourcePath},
		SourcePath:   r.Data.DroppedPath,
		Quality:      r.Quality,
		Languages:    r.Languages,
		ReleaseGroup: r.Data.ReleaseGroup,
		Size:         r.Data.Size,
	}
}

// absolute reports whether a path of Unix or Windows begins at a root.
func absolute(path string) bool {
	return strings.HasPrefix(path, "/") || strings.HasPrefix(path, `\\`) || len(path) > 2 && path[1:3] == `:\`
}

// sameTitle reports whether both are about the same movie, series or album.
func (r *Record) sameTitle(o *Record) bool {
	return r.MovieID == o.MovieID && r.SeriesID == o.SeriesID && r.AlbumID == o.AlbumID
}

// part is a movie, an episode or a track.
type part struct{ movie, episode, track arr.ID }

func (r *Record) part() part { return part{r.MovieID, r.EpisodeID, r.TrackID} }

// renamed reports whether the record is of a file that got another path.
func (r *Record) renamed() bool {
	return len(r.EventType) > len(recordRenamed) && strings.EqualFold(r.EventType[len(r.EventType)-len(recordRenamed):], recordRenamed)
}

// files is where the API lists the files of the record's title.
func (r *Record) files() (path string, query url.Values) {
	switch {
	case r.MovieID != "":
		return "moviefile", url.Values{"movieId": {string(r.MovieID)}}
	case r.AlbumID != "":
		return "trackfile", url.Values{"albumId": {string(r.AlbumID)}}
	default:
		return "episodefile", url.Values{"seriesId": {string(r.SeriesID)}}
	}
}

// DeleteReason is why a file was deleted, spelled as in webhooks: missingFromDisk.
func (r *Record) DeleteReason() string {
	first, size := utf8.DecodeRuneInString(r.Data.Reason)
	if size == 0 {
		return ""
	}
	return string(unicode.ToLower(first)) + r.Data.Reason[size:]
}

// position is a place in the history. Times in the API are whole seconds, so ids tell
// records of the same second apart.
type position struct {
	date time.Time
	id   int64
}

func (p position) compare(o position) int {
	return cmp.Or(p.date.Compare(o.date), cmp.Compare(p.id, o.id))
}

// String is the position as a cursor.
func (p position) String() string {
	return p.date.UTC().Format(time.RFC3339) + "/" + strconv.FormatInt(p.id, 10)
}

func parsePosition(cursor string) (position, error) {
	date, id, _ := strings.Cut(cursor, "/")
	t, err := time.Parse(time.RFC3339, date)
	if err != nil {
		return position{}, fmt.Errorf("read the cursor %q: %w", cursor, err)
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return position{}, fmt.Errorf("read the cursor %q: %w", cursor, err)
	}
	return position{t, n}, nil
}

// past is a part of the history.
type past struct {
	// records are in order, each once.
	records []Record
	// cut: there are more than were read, and the youngest are missing.
	cut bool
}

// since returns the records of a moment, by the application's clock, and later.
func (c *Client) since(ctx context.Context, at time.Time) (past, error) {
	const path = "history/since"
	if epoch := time.Unix(0, 0); at.Before(epoch) {
		at = epoch
	}
	query := url.Values{"date": {at.UTC().Format(time.RFC3339)}}
	answer, err := c.send(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return past{}, err
	}
	p := past{cut: len(answer) > maxAnswer}
	d := json.NewDecoder(bytes.NewReader(answer))
	start, err := d.Token()
	if err == nil && start != json.Delim('[') {
		err = errors.New("no list")
	}
	for err == nil && d.More() {
		if len(p.records) == maxRecords {
			p.cut = true
			break
		}
		var r Record
		if err = d.Decode(&r.raw); err != nil {
			break
		}
		// A field of an unexpected type is left out, a record of unknown date or type
		// altogether: an answer full of them would take a thousand times its size.
		wrong := json.Unmarshal(r.raw, &r)
		_, ok := errors.AsType[*json.UnmarshalTypeError](wrong)
		if (ok || wrong == nil) && !r.Date.IsZero() && r.EventType != "" {
			p.records = append(p.records, r)
		}
	}
	if err == nil && !p.cut {
		_, err = d.Token()
	}
	if err != nil && !p.cut {
		return past{}, fmt.Errorf("%s at %s answered %s with something that is no list of records or breaks off: %w", c.app, c.base, path, err)
	}
	slices.SortFunc(p.records, func(a, b Record) int { return a.position().compare(b.position()) })
	p.records = slices.CompactFunc(p.records, func(a, b Record) bool { return a.position() == b.position() })
	return p, nil
}

// without leaves out the records of renames that are known. One that is known once
// stands for the latest alone, but for all parts of its file.
func (p past) without(known []sdk.Rename) []Record {
	if len(known) == 0 {
		return p.records
	}
	left := make(map[sdk.Rename]int, len(known))
	for _, r := range known {
		left[r]++
	}
	latest := map[sdk.Rename]time.Time{}
	var others []Record
	for i := range slices.Backward(p.records) {
		r := &p.records[i]
		rename := sdk.Rename{From: r.Data.SourcePath, To: r.Data.Path}
		at, again := latest[rename]
		sameFile := again && at.Sub(r.Date) <= together
		if r.renamed() && (sameFile || left[rename] > 0) {
			if !sameFile {
				left[rename]--
			}
			latest[rename] = r.Date
			continue
		}
		others = append(others, *r)
	}
	slices.Reverse(others)
	return others
}
