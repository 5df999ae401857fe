package audiobookshelf

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
	fake "github.com/hookarr/hookarr/internal/fakeserver/audiobookshelf"
	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/plugins/internal/mediaservertest"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

const token = "eyJhbGciOiJIUzI1NiJ9.abs-key"

// bundle is a target and the Audiobookshelf that it has to do with.
type bundle struct {
	disk   *fakeserver.Disk
	abs    *fake.Server
	target *plugintest.Target
}

func quick(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	o := mediaservertest.Quick(options())
	o.Offline = time.Second
	return build(env, c, o)
}

func setup(t *testing.T, change func(c *fake.Config), more map[string]any) *bundle {
	t.Helper()
	b := &bundle{disk: new(fakeserver.Disk)}
	c := fake.Config{Version: "2.36.0", Token: token, ScanTime: 15 * time.Millisecond, Libraries: []fake.Library{
		{ID: "lib_books", Name: "Books", Kind: "book", Folders: []string{"/audiobooks", "/mnt/more"}},
		{ID: "lib_pods", Name: "Podcasts", Kind: "podcast", Folders: []string{"/podcasts"}},
	}}
	if change != nil {
		change(&c)
	}
	b.disk.Add("/audiobooks/Someone/Else/x.m4b", 1)
	b.disk.Add("/mnt/more/Someone/Again/y.m4b", 1)
	b.abs = fake.New(b.disk, c)
	server := httptest.NewServer(b.abs)
	t.Cleanup(server.Close)
	config := map[string]any{"url": server.URL, "api_key": token, "map": []map[string]string{{"from": "/data/books", "to": "/audiobooks"}}}
	maps.Copy(config, more)
	b.target = plugintest.StartTarget(t, info(), quick, config)
	return b
}

func book(title string) sdk.Media {
	return sdk.Media{Kind: "book", Title: title, Path: "/data/books/Frank Herbert"}
}

// arrive puts files of a book on the disk and returns the event of its import.
func (b *bundle) arrive(title string, names ...string) sdk.Event {
	var files []string
	for _, name := range names {
		at := "Frank Herbert/" + title + "/" + name
		b.disk.Add("/audiobooks/"+at, int64(len("/data/books/"+at)))
		files = append(files, "/data/books/"+at)
	}
	return mediaservertest.Event(sdk.TypeMediaImported, book(title), files...)
}

func TestOneScanOfTheLibraryAndTheProofOfEachFile(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	d := mediaservertest.Delivery(t, b.arrive("Dune", "01.mp3", "02.mp3"), b.arrive("Dune Messiah", "book.m4b"))
	o := d.Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, []string{"library.available Dune", "library.available Dune Messiah"}, mediaservertest.Told(t, o))
	require.Equal(t, []string{"lib_books"}, b.abs.Scans())
	require.Contains(t, mediaservertest.Events(t, o)[0].URL, "/item/li_")
	require.Contains(t, d.Waits[0], "Audiobookshelf has 0 of 3 files")
}

// A scan that is asked for while another runs is answered 200 and forgotten.
func TestItWaitsForTheScanOfSomeoneElse(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	b.abs.Busy("lib_books", 500*time.Millisecond)
	d := mediaservertest.Delivery(t, b.arrive("Dune", "book.m4b"))
	require.Equal(t, sdk.ClassOK, d.Prove(b.target).Class)
	require.Zero(t, b.abs.Dropped())
	require.Len(t, b.abs.Scans(), 1)
	require.Contains(t, d.Waits[0], "busy")
}

func TestAScanThatComesToNothingIsMadeAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	b.abs.FailNextScan()
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive("Dune", "book.m4b")).Prove(b.target).Class)
	require.Len(t, b.abs.Scans(), 2)
}

// A file that the server does not see yet is not scanned for: nor does a book that is in
// the same folder count as the file.
func TestAFileThatComesLater(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *fake.Config){
		"now": nil, "before 2.23": func(c *fake.Config) { c.OldPathExists = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, change, nil)
			require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive("Dune", "01.mp3")).Prove(b.target).Class)
			e := mediaservertest.Event(sdk.TypeMediaUpgraded, book("Dune"), "/data/books/Frank Herbert/Dune/02.mp3")
			d := mediaservertest.Delivery(t, e)
			o := d.Deliver(b.target)
			require.Positive(t, o.Receipt.VerifyAfter)
			require.Contains(t, o.Receipt.Waits, "does not see")
			require.Len(t, b.abs.Scans(), 1)
			b.disk.Add("/audiobooks/Frank Herbert/Dune/02.mp3", 9)
			require.Equal(t, sdk.ClassOK, d.Prove(b.target).Class)
			require.Len(t, b.abs.Scans(), 2)
		})
	}
	t.Run("who may not upload is not told", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *fake.Config) { c.NoUpload = true }, nil)
		require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive("Dune", "01.mp3")).Prove(b.target).Class)
	})
}

func TestDeletionsAndRenames(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	e := b.arrive("Dune", "01.mp3", "02.mp3")
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, e).Prove(b.target).Class)
	b.disk.Remove("/audiobooks/Frank Herbert/Dune/02.mp3")
	o := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeFileDeleted, book("Dune"), e.Files[1].Path)).Prove(b.target)
	require.Equal(t, []string{"library.removed Dune"}, mediaservertest.Told(t, o))

	b.disk.Rename("/audiobooks/Frank Herbert/Dune/01.mp3", "/audiobooks/Frank Herbert/Dune (1965)/01.mp3")
	o = mediaservertest.Delivery(t, mediaservertest.Renamed(book("Dune"), e.Files[0].Path, "/data/books/Frank Herbert/Dune (1965)/01.mp3")).Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)

	b.disk.Remove("/audiobooks/Frank Herbert")
	author := sdk.Media{Kind: "author", Title: "Frank Herbert", Path: "/data/books/Frank Herbert"}
	o = mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeMediaDeleted, author)).Prove(b.target)
	require.Equal(t, []string{"library.removed Frank Herbert"}, mediaservertest.Told(t, o))
	require.Equal(t, "lib_books", b.abs.Scans()[3])
}

// An old book that is neither among the newest nor among those that changed last is found
// all the same, so that its deletion is proven by more than not having been looked for.
func TestAnOldBookIsFound(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	e := b.arrive("Dune", "book.m4b")
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, e).Prove(b.target).Class)
	for i := range 600 {
		b.disk.Add(fmt.Sprintf("/audiobooks/Someone/Book %d/x.m4b", i), 1)
	}
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive("New", "book.m4b")).Prove(b.target).Class)
	require.Greater(t, len(b.abs.Items()), 600)
	b.abs.Configure(func(c *fake.Config) { c.ScanTime = time.Hour })
	b.disk.Remove("/audiobooks/Frank Herbert/Dune")
	d := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeFileDeleted, book("Dune"), e.Files[0].Path))
	require.Positive(t, d.Deliver(b.target).Receipt.VerifyAfter)
	require.Positive(t, d.Verify(b.target, false).Receipt.VerifyAfter)
	require.Contains(t, d.Waits[0], "still has")
}

// A disk that is gone looks like the deletion of all that was on it.
func TestADiskThatIsGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mount string
		with  bool
		more  map[string]any
		says  string
	}{
		"the folder's":         {"/audiobooks", true, nil, "does not see the folder /audiobooks"},
		"empty":                {"/audiobooks", false, nil, "is empty"},
		"the other folder's":   {"/mnt/more", true, nil, "the folder /mnt/more of the library"},
		"that of the anchor's": {"/mnt/other", true, map[string]any{"anchors": []string{"/mnt/other/.here"}}, "/mnt/other/.here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil, c.more)
			b.disk.Mkdir("/mnt/other/.here")
			e := b.arrive("Dune", "book.m4b")
			b.disk.Unmount(c.mount, c.with)
			d := mediaservertest.Delivery(t, e)
			o := d.Deliver(b.target)
			require.Equal(t, sdk.ClassThrottled, o.Class, o.Message)
			require.Contains(t, o.Message, c.says)
			require.Empty(t, b.abs.Scans())
			b.disk.Mount(c.mount)
			require.Equal(t, sdk.ClassOK, d.Prove(b.target).Class)
		})
	}
}

func TestPathInNoLibrary(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	o := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeMediaImported, book("Dune"), "/podcasts/Dune/x.m4b")).Deliver(b.target)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Contains(t, o.Message, `"Books" (/audiobooks, /mnt/more)`)
	require.Empty(t, b.abs.Scans())
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(c *fake.Config)
		answer http.HandlerFunc
		class  sdk.Class
		says   string
	}{
		"key":              {change: func(c *fake.Config) { c.Token = "another" }, class: sdk.ClassMisconfigured, says: "API Keys"},
		"no administrator": {change: func(c *fake.Config) { c.NotAdmin = true }, class: sdk.ClassMisconfigured, says: "administrator"},
		"page": {answer: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, "<!DOCTYPE html><title>Log in</title>")
		}, class: sdk.ClassMisconfigured, says: "a web page answers"},
		"broken": {answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, class: sdk.ClassRetryable, says: "502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, c.change, nil)
			if c.answer != nil {
				b.abs.Next(c.answer)
			}
			o := mediaservertest.Delivery(t, b.arrive("Dune", "book.m4b")).Deliver(b.target)
			require.Equal(t, c.class, o.Class, o.Message)
			require.Contains(t, o.Message, c.says)
			require.NotContains(t, mediaservertest.Shown(o), token)
			require.Empty(t, b.abs.Scans())
		})
	}
}

// A library whose id is gone is looked up again.
func TestALibraryThatIsReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive("Dune", "book.m4b")).Prove(b.target).Class)
	b.abs.Configure(func(c *fake.Config) { c.Libraries[0].ID = "lib_new" })
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive("Dune Messiah", "book.m4b")).Prove(b.target).Class)
	require.Equal(t, []string{"lib_books", "lib_new"}, b.abs.Scans())
}

func TestTestAndFolders(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	o, err := b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Contains(t, o.Receipt.Excerpt, "Audiobookshelf 2.36.0")
	require.Empty(t, b.abs.Scans())
	b.disk.Unmount("/mnt/more", true)
	f, err := b.target.Folders(t.Context(), sdk.FoldersQuery{})
	require.NoError(t, err)
	require.Equal(t, []sdk.Folder{
		{Path: "/audiobooks", Library: "Books", Kind: "book"},
		{Path: "/mnt/more", Library: "Books", Kind: "book", Problem: "not seen by the server"},
	}, f.Roots)
	b.abs.Configure(func(c *fake.Config) { c.NotAdmin = true })
	o, err = b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassMisconfigured, o.Class)
	require.Contains(t, o.Message, "administrator")
}

func TestOptions(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, map[string]any{"libraries": []string{"Boks"}})
	found, err := b.target.Options(t.Context(), "libraries")
	require.NoError(t, err)
	require.Equal(t, []sdk.Option{{Value: "Books", Label: "book in /audiobooks, /mnt/more"}}, found)
}

// A name may be shorter in another case: U+212A is a K of three bytes.
func TestPathsThatAreShorterThanTheirFolder(t *testing.T) {
	t.Parallel()
	var asked struct{ Directory string }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&asked)
		_, _ = io.WriteString(w, `{"exists":true}`)
	}))
	t.Cleanup(server.Close)
	a := &audiobookshelf{http: new(sdk.HTTP), base: server.URL, all: mediaserver.Library{Roots: []string{"C:\\\u212a\u212a\u212a\u212a"}}}
	seen, err := a.Sees(t.Context(), `C:\kkkk\a\b`)
	require.NoError(t, err)
	require.True(t, seen)
	require.Equal(t, "a/b", asked.Directory)
}
