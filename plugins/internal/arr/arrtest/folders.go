package arrtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// Folders checks what the source tells of root folders and of a library of one title.
func Folders(t *testing.T, app fakearr.App, newSource sdk.NewSource[api.Config], title fakearr.Title, list string, want sdk.FolderTitle) {
	t.Helper()
	in := Install(t, app, newSource)
	title.Path = "/media/one/It"
	title, err := in.Add(t.Context(), title)
	require.NoError(t, err)
	d, err := in.Grab(t.Context(), title.ID, fakearr.Release{})
	require.NoError(t, err)
	_, err = in.Import(t.Context(), d.ID)
	require.NoError(t, err)
	in.SetRootFolders(fakearr.RootFolder{Path: "/media/one/"}, fakearr.RootFolder{Path: "/media/gone", Inaccessible: true})
	lister := in.Source.(sdk.FolderLister)
	found, err := lister.Folders(t.Context(), sdk.FoldersQuery{Sample: 20})
	require.NoError(t, err)
	require.Len(t, found.Roots, 2)
	require.Equal(t, list, found.Roots[0].Kind)
	require.Equal(t, "/media/one/", found.Roots[0].Path)
	require.Positive(t, found.Roots[0].FreeBytes)
	require.Empty(t, found.Roots[0].Problem)
	require.Regexp(t, "^not accessible to [A-Z]", found.Roots[1].Problem)
	want.Path = title.Path
	require.Equal(t, []sdk.FolderTitle{want}, found.Titles)

	found, err = lister.Folders(t.Context(), sdk.FoldersQuery{})
	require.NoError(t, err)
	require.Len(t, found.Roots, 2)
	require.Empty(t, found.Titles)
}
