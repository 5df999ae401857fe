package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// maxDownload bounds the records of one download: a series of 500 episodes, grabbed and
// imported twice.
const maxDownload = 2000

// Library is an installation of an application, as what reads its titles needs it.
type Library struct {
	Client *Client
	Status Status
	App    arr.App
	// ApplicationURL is where its pages are, for events that do not say.
	ApplicationURL string
	// Lenient: what the application fails over is not known, as what it lacks.
	Lenient bool
}

// Lookup is Get for something that an event can do without: it is empty when the
// application does not know it any more.
func Lookup[T any](ctx context.Context, l Library, path string, query url.Values) (T, error) {
	v, err := Get[T](ctx, l.Client, path, query)
	if l.unknown(err) {
		var none T
		return none, nil
	}
	return v, err
}

func (l Library) unknown(err error) bool {
	return errors.Is(err, ErrNotFound) || l.Lenient && failed(err)
}

// Request is that of a webhook, whose header says the version.
func (l Library) Request() sdk.Request {
	return sdk.Request{Header: http.Header{"User-Agent": {string(l.App) + "/" + l.Status.Version}}}
}

// The lists that many titles refer to.
const (
	pathTags     = "tag"
	pathProfiles = "qualityprofile"
	pathHost     = "config/host"
)

// Labels are the labels of tags by their ids, sorted as in webhooks.
func (l Library) Labels(ctx context.Context, ids []arr.ID) (arr.Names, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	type tag struct {
		ID    arr.ID
		Label string
	}
	tags, err := Lookup[[]tag](ctx, l, pathTags, nil)
	if err != nil {
		return nil, err
	}
	var all arr.Names
	for _, id := range ids {
		if at := slices.IndexFunc(tags, func(t tag) bool { return t.ID == id }); at >= 0 {
			all = append(all, tags[at].Label)
		}
	}
	slices.Sort(all)
	return all, nil
}

// Profile is the name of the quality profile with an id.
func (l Library) Profile(ctx context.Context, id arr.ID) (string, error) {
	if id == "" {
		return "", nil
	}
	type profile struct {
		ID   arr.ID
		Name string
	}
	profiles, err := Lookup[[]profile](ctx, l, pathProfiles, nil)
	if err != nil {
		return "", err
	}
	if at := slices.IndexFunc(profiles, func(p profile) bool { return p.ID == id }); at >= 0 {
		return profiles[at].Name, nil
	}
	return "", nil
}

// Envelope is what all webhooks of a kind begin with, as far as fingerprints have it.
func (l Library) Envelope(ctx context.Context, eventType string) (arr.Payload, error) {
	// It has secrets too, which nobody reads.
	host, err := Lookup[struct{ InstanceName, ApplicationURL string }](ctx, l, pathHost, nil)
	return arr.Payload{
		EventType: eventType, InstanceName: cmp.Or(l.Status.InstanceName, host.InstanceName), ApplicationURL: host.ApplicationURL,
	}, err
}

// Files are those of records, each once though it has several episodes or tracks,
// completed with what is known of them today.
func (l Library) Files(ctx context.Context, records []Record) ([]arr.File, error) {
	type file struct {
		id       arr.ID
		from, to string
	}
	var files []arr.File
	var known held
	var title *Record
	seen := map[file]bool{}
	for i := range records {
		r := &records[i]
		f := r.File()
		key := file{f.ID, f.Before().PreviousPath, f.Path}
		if seen[key] {
			continue
		}
		seen[key] = true
		if title == nil || !title.sameTitle(r) {
			all, err := l.known(ctx, r)
			if err != nil {
				return nil, err
			}
			known, title = hold(all), r
		}
		known.complete(&f)
		files = append(files, f)
	}
	return files, nil
}

// Download are all records of the download that records are of, in order, or those
// alone when the application does not know more.
func (l Library) Download(ctx context.Context, records []Record) ([]Record, error) {
	var page struct{ Records []Record }
	query := url.Values{
		"downloadId": {records[0].DownloadID}, "pageSize": {strconv.Itoa(maxDownload)}, "sortKey": {"date"}, "sortDirection": {"ascending"},
	}
	// It is asked for anew each time: what is remembered may lack the latest.
	if _, err := l.Client.call(ctx, http.MethodGet, "history", query, nil, &page); err != nil && !l.unknown(err) {
		return nil, err
	}
	if len(page.Records) == 0 {
		return records, nil
	}
	slices.SortFunc(page.Records, func(a, b Record) int { return a.position().compare(b.position()) })
	return page.Records, nil
}

// Held are the files that titles have today, as an event has them. A title is named by
// a record that has nothing but its id; the folder is where all of them are.
func (l Library) Held(ctx context.Context, folder string, titles ...Record) ([]sdk.File, error) {
	var all []sdk.File
	for i := range titles {
		known, err := l.known(ctx, &titles[i])
		if err != nil {
			return nil, err
		}
		for j := range known {
			all = append(all, arr.Files(folder, known[j].Webhook())...)
		}
	}
	return all, nil
}

// known are the files that the title of a record has today.
func (l Library) known(ctx context.Context, r *Record) ([]File, error) {
	path, query := r.files()
	return Lookup[[]File](ctx, l, path, query)
}
