package api

import (
	"cmp"
	"context"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// maxSample bounds the titles that are named.
const maxSample = 500

// TitleIn is a title with the folder that it has.
func TitleIn(path string, m *sdk.Media) sdk.FolderTitle {
	return sdk.FolderTitle{Kind: m.Kind, Title: m.Title, Year: m.Year, IDs: m.IDs, Path: path}
}

// Holdings are what the API tells of a title's files: all of it may be missing.
type Holdings struct {
	HasFile    *bool
	SizeOnDisk *arr.Number
	Statistics *struct {
		SizeOnDisk                                      *arr.Number
		EpisodeFileCount, TrackFileCount, BookFileCount arr.Number
	}
}

// Files is how many files the title has, by its statistics.
func (h Holdings) Files() int {
	if h.Statistics == nil {
		return 0
	}
	s := h.Statistics
	return int(s.EpisodeFileCount.Size() + s.TrackFileCount.Size() + s.BookFileCount.Size())
}

// Empty implements Listed.
func (h Holdings) Empty() bool {
	size := h.SizeOnDisk
	if h.Statistics != nil && h.Statistics.SizeOnDisk != nil {
		size = h.Statistics.SizeOnDisk
	}
	return h.HasFile != nil && !*h.HasFile || size != nil && *size <= 0
}

// rootFolder is one in the API.
type rootFolder struct {
	Path       string
	Accessible *bool
	FreeSpace  arr.Number
}

// Folders implements sdk.FolderLister: it lists the root folders, and of the titles that
// have files a sample of all folders. The same library gives the same sample.
func (p *Powers) Folders(ctx context.Context, q sdk.FoldersQuery) (sdk.Folders, error) {
	c, err := p.ready()
	if err != nil {
		return sdk.Folders{}, err
	}
	ctx, cancel := inTime(ctx)
	defer cancel()
	status, err := c.Status(ctx)
	if err != nil {
		return sdk.Folders{}, err
	}
	return c.folders(ctx, p.app.Stock(p.library(c, status, false)), q)
}

func (c *Client) folders(ctx context.Context, stock Stock, q sdk.FoldersQuery) (sdk.Folders, error) {
	var all []rootFolder
	if _, err := c.call(ctx, http.MethodGet, "rootfolder", nil, nil, &all); err != nil {
		return sdk.Folders{}, err
	}
	var found sdk.Folders
	for _, f := range all {
		if f.Path == "" {
			continue
		}
		root := sdk.Folder{Path: f.Path, Kind: stock.Path(), FreeBytes: f.FreeSpace.Size()}
		if f.Accessible != nil && !*f.Accessible {
			root.Problem = "not accessible to " + string(c.app)
		}
		found.Roots = append(found.Roots, root)
	}
	if q.Sample <= 0 {
		return found, nil
	}
	s := sampler{roots: found.Roots, size: min(q.Sample, maxSample)}
	err := c.list(ctx, stock, func(t Listed) error {
		if title := stock.Title(t); title.Path != "" && !t.Empty() {
			s.add(title)
		}
		return nil
	})
	found.Titles = s.titles()
	return found, err
}

// sampler keeps of every root folder as many titles as are wanted of all: those with the
// smallest hashes of their paths, which are spread over the library and the same each
// time.
type sampler struct {
	roots []sdk.Folder
	size  int
	kept  map[string][]hashed
}

type hashed struct {
	sdk.FolderTitle

	hash uint64
}

func (s *sampler) add(t sdk.FolderTitle) {
	root := ""
	for _, f := range s.roots {
		if len(f.Path) > len(root) && pathmap.Under(t.Path, f.Path) {
			root = f.Path
		}
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.Path)) // It does not fail.
	if s.kept == nil {
		s.kept = map[string][]hashed{}
	}
	of := s.kept[root]
	entry := hashed{t, h.Sum64()}
	at, _ := slices.BinarySearchFunc(of, entry, byHash)
	if at >= s.size {
		return
	}
	of = slices.Insert(of, at, entry)
	s.kept[root] = of[:min(len(of), s.size)]
}

func byHash(a, b hashed) int {
	return cmp.Or(cmp.Compare(a.hash, b.hash), strings.Compare(a.Path, b.Path))
}

// titles takes one of each folder in turn.
func (s *sampler) titles() []sdk.FolderTitle {
	var all []sdk.FolderTitle
	roots := slices.Sorted(maps.Keys(s.kept))
	for i := 0; len(all) < s.size; i++ {
		before := len(all)
		for _, root := range roots {
			if of := s.kept[root]; i < len(of) && len(all) < s.size {
				all = append(all, of[i].FolderTitle)
			}
		}
		if len(all) == before {
			break
		}
	}
	return all
}
