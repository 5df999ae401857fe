package fakearr_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
)

func TestRootFolders(t *testing.T) {
	t.Parallel()
	type folder struct {
		ID         int
		Name, Path string
		Accessible bool
		FreeSpace  *int64
	}
	for _, app := range fakearr.Apps() {
		t.Run(string(app), func(t *testing.T) {
			t.Parallel()
			a := fakearr.New(app, fakearr.Options{})
			client := serve(t, a)
			list := func() []folder {
				var all []folder
				client.get(base(app)+"rootfolder", &all)
				return all
			}
			require.Empty(t, list())
			for _, path := range []string{"/media/a/One", "/media/a/Two", "/media/b/Three"} {
				_, err := a.Add(t.Context(), fakearr.Title{Name: "It", Year: 2024, Path: path})
				require.NoError(t, err)
			}
			require.Len(t, list(), 2)
			a.SetRootFolders(fakearr.RootFolder{Path: `D:\Media`}, fakearr.RootFolder{Path: "/gone", Inaccessible: true})
			all := list()
			require.Equal(t, `D:\Media`, all[0].Path)
			require.Positive(t, *all[0].FreeSpace)
			require.False(t, all[1].Accessible)
			require.Nil(t, all[1].FreeSpace)
			require.Equal(t, app == fakearr.Lidarr || app == fakearr.Readarr, all[0].Name != "")
		})
	}
}
