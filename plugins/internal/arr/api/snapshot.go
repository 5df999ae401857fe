package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// itemLimit is how many items a page has when nobody says.
	itemLimit = 500
	// maxPage bounds the events of a page, in bytes of JSON. One item may have more.
	maxPage = 8 << 20
	// idle is how long titles are kept for the next page. After that, their list is read
	// once more.
	idle = 10 * time.Minute
)

// Stock knows everything that an application has. It may be used for one call.
type Stock interface {
	// Path is where the API lists all titles.
	Path() string
	// New returns an empty one, which an element of that list is decoded into.
	New() Listed
	// Title is the title with its folder, by which media servers are asked for it.
	Title(t Listed) sdk.FolderTitle
	// Items are what there is of a title today: the title itself, then its files by their
	// ids. They end with an error, which matches ErrNotFound when the application may not
	// have the title any more.
	Items(ctx context.Context, t Listed) iter.Seq2[Item, error]
}

// Item is an item of a snapshot.
type Item struct {
	sdk.Item

	// File is the file's id, or 0 for a title itself.
	File int64
}

// bookmark is where a page ends.
type bookmark struct {
	// title is the last of which there was something.
	title int64
	// file is the last of the title's files, or 0 after the title itself. With whole there
	// are no more.
	file  int64
	whole bool
}

// String is the bookmark as a cursor.
func (p bookmark) String() string {
	if p.whole {
		return strconv.FormatInt(p.title, 10)
	}
	return strconv.FormatInt(p.title, 10) + "/" + strconv.FormatInt(p.file, 10)
}

func parseBookmark(cursor string) (bookmark, error) {
	if cursor == "" {
		return bookmark{whole: true}, nil
	}
	title, file, more := strings.Cut(cursor, "/")
	p := bookmark{whole: !more}
	var err error
	if p.title, err = strconv.ParseInt(title, 10, 64); err == nil && more {
		p.file, err = strconv.ParseInt(file, 10, 64)
	}
	if err != nil || p.title < 0 || p.file < 0 {
		return bookmark{}, fmt.Errorf("the cursor %q is none of this plugin", cursor)
	}
	return p, nil
}

// had reports whether an item of the title with an id was in a page before.
func (p bookmark) had(title int64, item *Item) bool {
	return title < p.title || title == p.title && (p.whole || item.File <= p.file)
}

// snapshots keeps what one page of a snapshot leaves for the next. The zero value is
// ready to use.
type snapshots struct {
	mu     sync.Mutex
	titles *titles
	// forget drops titles that nobody asks for any more.
	forget *time.Timer
	// running is held during a call: pages of one instance are made one after the other.
	running chan struct{}
	once    sync.Once
}

// take waits for its turn and takes the titles that were kept.
func (s *snapshots) take(ctx context.Context) (*titles, error) {
	s.once.Do(func() { s.running = make(chan struct{}, 1) })
	select {
	case s.running <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for another page: %w", ctx.Err())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forget != nil {
		s.forget.Stop()
	}
	kept := s.titles
	s.titles = nil
	return kept, nil
}

// leave ends the turn and keeps titles for a while, unless they are nil.
func (s *snapshots) leave(t *titles) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.titles = t
	if t != nil {
		s.forget = time.AfterFunc(idle, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.titles == t {
				s.titles = nil
			}
		})
	}
	<-s.running
}

// Snapshot implements sdk.Snapshotter. Titles come in the order of their ids. Their list
// is read at the first page; their parts and files when it is their turn.
func (p *Powers) Snapshot(ctx context.Context, q sdk.SnapshotQuery) (sdk.SnapshotPage, error) {
	begun := time.Now()
	c, err := p.ready()
	if err != nil {
		return sdk.SnapshotPage{}, err
	}
	at, err := parseBookmark(q.Cursor)
	if err != nil {
		return sdk.SnapshotPage{}, err
	}
	ctx, cancel := inTime(ctx)
	defer cancel()
	kept, err := p.snapshots.take(ctx)
	if err != nil {
		return sdk.SnapshotPage{}, err
	}
	defer func() { p.snapshots.leave(kept) }()
	if q.Cursor == "" {
		kept = nil
	}
	if kept == nil {
		c.cache.forget(cacheKey(pathStatus, nil), cacheKey(pathTags, nil), cacheKey(pathProfiles, nil), cacheKey(pathHost, nil))
	}
	status, err := c.Status(ctx)
	if err != nil {
		return sdk.SnapshotPage{}, err
	}
	stock := p.app.Stock(p.library(c, status, false))
	if kept == nil {
		if kept, err = c.titles(ctx, stock, at.title); err != nil {
			kept = nil
			return sdk.SnapshotPage{}, err
		}
	}
	w := writer{client: c, stock: stock, titles: kept, at: at, limit: cmp.Or(max(q.Limit, 0), itemLimit)}
	w.page.Cursor, w.page.Total = q.Cursor, kept.items
	w.late = func() bool { return late(ctx, begun) }
	if err := w.write(ctx); err != nil {
		return sdk.SnapshotPage{}, err
	}
	if !w.page.More || w.again {
		kept = nil
	}
	return w.page, nil
}

// writer writes one page.
type writer struct {
	client *Client
	stock  Stock
	titles *titles
	at     bookmark
	limit  int
	late   func() bool

	page sdk.SnapshotPage
	size int
	// again: the next page needs the list of titles once more.
	again bool
}

func (w *writer) write(ctx context.Context) error {
	for _, s := range w.titles.packed.from(w.at.title) {
		if s.id == w.at.title && w.at.whole {
			continue
		}
		if w.page.More = len(w.page.Items) > 0 && (len(w.page.Items) >= w.limit || w.late()); w.page.More {
			return nil
		}
		whole, err := w.title(ctx, s)
		if err != nil && len(w.page.Items) > 0 {
			w.page.More = true
			return nil // What is known is of use; the next call gets over it, or says it.
		}
		if err != nil || !whole {
			return err
		}
		w.page.Cursor = bookmark{title: s.id, whole: true}.String()
	}
	if w.titles.cut {
		w.page.More, w.again = true, true
	}
	return nil
}

// title adds the items of a title, and reports whether there was place for all.
func (w *writer) title(ctx context.Context, s slot) (bool, error) {
	data, err := w.titles.packed.get(s)
	if err != nil {
		return false, err
	}
	t := w.stock.New()
	if err := json.Unmarshal(data, t); err != nil {
		return false, fmt.Errorf("read a title that was kept: %w", err)
	}
	path := w.stock.Path() + "/" + strconv.FormatInt(s.id, 10)
	for item, err := range w.stock.Items(ctx, t) {
		if errors.Is(err, ErrNotFound) && w.gone(ctx, path) {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("read %s: %w", path, err)
		}
		if w.at.had(s.id, &item) {
			continue
		}
		fits, err := w.add(s.id, &item)
		if err != nil || !fits {
			return false, err
		}
	}
	return true, nil
}

// gone reports whether a title was deleted after the list was read. Otherwise something
// else is missing, and nobody must be told that the title's files are gone.
func (w *writer) gone(ctx context.Context, path string) bool {
	_, err := Fresh[struct{}](ctx, w.client, path, nil)
	return errors.Is(err, ErrNotFound)
}

// add adds an item, unless the page is full.
func (w *writer) add(title int64, item *Item) (bool, error) {
	data, err := json.Marshal(item.Event)
	if err != nil {
		return false, fmt.Errorf("measure an item: %w", err)
	}
	w.size += len(data)
	if n := len(w.page.Items); n > 0 && (n >= w.limit || w.size > maxPage) {
		w.page.More = true
		return false, nil
	}
	w.page.Items = append(w.page.Items, item.Item)
	w.page.Cursor = bookmark{title: title, file: item.File}.String()
	return true, nil
}

// FileItem is a file of the title with a key as an item.
func FileItem(id arr.ID, parent string, e sdk.Event, gone []string) Item {
	return Item{Item: sdk.Item{Key: "file/" + string(id), Parent: parent, Event: e, GoneFingerprints: gone}, File: Row(id)}
}

// Ordered are the files that have an id, in the order of their ids, each once.
func Ordered[F any](files []F, id func(*F) arr.ID) []*F {
	all := make([]*F, 0, len(files))
	for i := range files {
		if Row(id(&files[i])) > 0 {
			all = append(all, &files[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *F) int { return cmp.Compare(Row(id(a)), Row(id(b))) })
	return slices.CompactFunc(all, func(a, b *F) bool { return id(a) == id(b) })
}

// Failed are the items of a title that cannot be told.
func Failed(err error) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) { yield(Item{}, err) }
}

// Items are those of a title: the title itself, and what file makes of each of its files,
// one at a time since a series may have thousands.
func Items[F any](title Item, files []*F, file func(*F) (Item, error)) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		if !yield(title, nil) {
			return
		}
		for _, f := range files {
			item, err := file(f)
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}
