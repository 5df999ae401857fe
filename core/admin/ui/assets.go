package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var assetFiles embed.FS

// assetPrefix begins the paths of what pages load.
const assetPrefix = "/assets/"

// assets are files under paths that hold the hash of them all, so that a browser may keep
// them for ever.
type assets struct {
	version string
	files   map[string][]byte
}

func readAssets() (assets, error) {
	a := assets{files: map[string][]byte{}}
	sum := sha256.New()
	err := fs.WalkDir(assetFiles, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := assetFiles.ReadFile(name)
		a.files[strings.TrimPrefix(name, "assets/")] = data
		_, _ = sum.Write(data)
		return err
	})
	a.version = hex.EncodeToString(sum.Sum(nil))[:16]
	return a, err
}

// path is the path of a file, without the base path.
func (a assets) path(name string) string { return assetPrefix + a.version + "/" + name }

func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	version, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, assetPrefix), "/")
	data, ok := a.files[name]
	if !ok || version != a.version || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}
