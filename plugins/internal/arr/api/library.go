package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// Library is an installation of an application, as what reads its titles needs it.
type Library struct {
	Client *Client
	Status Status
	App    arr.App
	// ApplicationURL is where its pages are, for events that do not say.
	ApplicationURL string
}

// Request is that of a webhook, whose header says the version.
func (l Library) Request() sdk.Request {
	return sdk.Request{Header: http.Header{"User-Agent": {string(l.App) + "/" + l.Status.Version}}}
}

// Labels are the labels of tags by their ids.
func (l Library) Labels(ctx context.Context, ids []arr.ID) (arr.Names, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	type tag struct {
		ID    arr.ID
		Label string
	}
	tags, err := Lookup[[]tag](ctx, l.Client, "tag", nil)
	if err != nil {
		return nil, err
	}
	var all arr.Names
	for _, id := range ids {
		if at := slices.IndexFunc(tags, func(t tag) bool { return t.ID == id }); at >= 0 {
			all = append(all, tags[at].Label)
		}
	}
	return all, nil
}

// Files are those of records, each once though it has several episodes or tracks,
// completed with what is known of them today.
func (l Library) Files(ctx context.Context, records []Record) ([]arr.File, error) {
	var files []arr.File
	var known []File
	var title *Record
	for i := range records {
		r := &records[i]
		f := r.File()
		if slices.ContainsFunc(files, func(o arr.File) bool { return o.ID == f.ID && o.PreviousPath == f.PreviousPath && o.Path == f.Path }) {
			continue
		}
		if title == nil || !title.sameTitle(r) {
			var err error
			if known, err = l.known(ctx, r); err != nil {
				return nil, err
			}
			title = r
		}
		complete(&f, known)
		files = append(files, f)
	}
	return files, nil
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
	return Lookup[[]File](ctx, l.Client, path, query)
}
