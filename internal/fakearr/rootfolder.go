package fakearr

import (
	"net/http"
	"slices"

	"github.com/hookarr/hookarr/sdk/pathmap"
)

// freeSpace is what root folders have left unless told otherwise, in bytes.
const freeSpace = 512 << 30

// RootFolder is a folder that titles are kept in.
type RootFolder struct {
	Path string
	// Inaccessible says that the application cannot read it, as of a disk that is gone.
	Inaccessible bool
}

// SetRootFolders replaces the root folders. Until then they are the folders that the
// titles are in.
func (a *Arr) SetRootFolders(folders ...RootFolder) {
	a.state.Lock()
	defer a.state.Unlock()
	a.rootFolders = slices.Clone(folders)
}

func (a *Arr) rootFolderRoutes() {
	a.get("rootfolder", func(*http.Request) any {
		folders := a.rootFolders
		if folders == nil {
			for _, t := range a.titles {
				if f := (RootFolder{Path: pathmap.Dir(t.Path)}); !slices.Contains(folders, f) {
					folders = append(folders, f)
				}
			}
		}
		out := []object{}
		for i, f := range folders {
			o := object{{"path", f.Path}, {"accessible", !f.Inaccessible}}
			if !f.Inaccessible {
				o = append(o, member{"freeSpace", int64(freeSpace)})
			}
			if a.app == Lidarr || a.app == Readarr {
				o = append(object{{"name", pathmap.Base(f.Path)}}, o...)
			}
			out = append(out, append(o, member{"unmappedFolders", []object{}}, member{"id", i + 1}))
		}
		return out
	})
}
