package sdk

import (
	"context"

	"github.com/hookarr/hookarr/sdk/pathmap"
)

// FolderLister is the power of FeatureFolders, of sources and of targets: it tells where
// files are kept. The host finds out from both by which paths they know the same folder.
type FolderLister interface {
	// Folders asks the application or the server. An error is for people to read.
	Folders(ctx context.Context, q FoldersQuery) (Folders, error)
}

// FoldersQuery says what is to be told beside the folders.
type FoldersQuery struct {
	// Titles are those that a target is to look up by their ids.
	Titles []FolderTitle
	// Sample is how many titles a source is to name, from all of its root folders.
	Sample int
}

// Folders are what an application or a media server says of its files.
type Folders struct {
	// Roots are an application's root folders, or the folders of a server's libraries.
	Roots []Folder
	// Titles are a source's sample, or what a target has of the query's titles, with the
	// path that the server knows them by.
	Titles []FolderTitle
	// Map is the path map that a target uses.
	Map []pathmap.Pair
}

// Folder is a root folder of an application or a folder of a server's library.
type Folder struct {
	Path string `json:"path"`
	// Library is the server's name of it; empty for a source.
	Library string `json:"library,omitempty"`
	// Kind is what is in it, as in [Media]; empty where that cannot be told.
	Kind      string `json:"kind,omitempty"`
	FreeBytes int64  `json:"free_bytes,omitempty"`
	// Problem says why it cannot be used; empty if it can.
	Problem string `json:"problem,omitempty"`
}

// FolderTitle is a title and the path of its folder. Of a movie on a server that knows
// files alone, it is that of the folder that the file is in.
type FolderTitle struct {
	Kind  string            `json:"kind"`
	Title string            `json:"title"`
	Year  int               `json:"year,omitempty"`
	IDs   map[string]string `json:"ids,omitempty"`
	Path  string            `json:"path"`
}
