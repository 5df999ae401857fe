package fakearr

// family is how applications differ by what they collect.
type family interface {
	// routes adds what the API tells of titles and files.
	routes()
	words() words
	// adopt gives a new title its folder, and ids to what it has.
	adopt(t *Title)
	// parts are what a release holds.
	parts(t *Title, r Release) []part
	// holds is what a file holds.
	holds(f *File) []part
	// batches are the files of a download; those of a batch are announced together.
	batches(t *Title, d *Download) [][]File
	// identity is how the history and the queue name a part.
	identity(t *Title, p part) object
	// included is what the history adds to a record on request.
	included(t *Title, p part, wanted func(string) bool) object

	test() object
	added(t *Title) happening
	removed(t *Title, files bool, size int64) happening
	grabbed(t *Title, d *Download) happening
	imported(t *Title, d *Download, files, replaced []*File) happening
	renamed(t *Title, files []renaming) happening

	// The remaining ones return nothing where the application is silent.

	completed(t *Title, d *Download, files []*File) []happening
	fileDeleted(t *Title, f *File, reason string) []happening
	downloadFailed(t *Title, d *Download) []happening
	manual(t *Title, d *Download, messages []string) []happening
}

// words are a family's names for the types of records.
type words struct {
	// imported is the type of an import, file the beginning of those about files.
	imported, file string
	kinds          map[int]string
	// first and better are qualities of releases and upgrades.
	first, better string
	// without are the details that records do not have.
	without []string
	// overrides tells that files which gave way to a manual override are recorded.
	overrides bool
}

// renaming is a file and where it was before.
type renaming struct {
	file *File
	from string
}

func english() []object { return []object{{{"id", 1}, {"name", "English"}}} }

func formats() object {
	return object{{"customFormats", []object{}}, {"customFormatScore", 0}}
}

func mediaInfo() object {
	return object{
		{"audioChannels", 5.1},
		{"audioCodec", "EAC3"},
		{"audioLanguages", []string{"eng"}},
		{"height", 1080},
		{"width", 1920},
		{"subtitles", []string{"eng", "ger"}},
		{"videoCodec", "x265"},
		{"videoDynamicRange", ""},
		{"videoDynamicRangeType", ""},
	}
}

// apiMediaInfo is mediaInfo in the API.
func apiMediaInfo() object {
	return object{
		{"audioBitrate", 640000},
		{"audioChannels", 5.1},
		{"audioCodec", "EAC3"},
		{"audioLanguages", "eng"},
		{"audioStreamCount", 1},
		{"videoCodec", "x265"},
		{"videoFps", 23.976},
		{"videoDynamicRange", ""},
		{"videoDynamicRangeType", ""},
		{"resolution", "1920x1080"},
		{"runTime", "42:00"},
		{"subtitles", "eng/ger"},
	}
}

// client is how webhooks name where a download is.
func (d *Download) client() object {
	if d == nil {
		return nil
	}
	return object{{"downloadClient", d.Client}, {"downloadClientType", d.ClientType}, {"downloadId", d.ID}}
}

// grabRelease is a release when it is grabbed.
func (d *Download) grabRelease(more ...member) object {
	return append(object{
		{"quality", d.Quality},
		{"qualityVersion", 1},
		{"releaseGroup", text(d.Group)},
		{"releaseTitle", d.Name},
		{"indexer", d.Indexer},
		{"size", d.Size},
		{"customFormatScore", 0},
		{"customFormats", []string{}},
	}, more...)
}

func (d *Download) info() object {
	return object{{"quality", d.Quality}, {"qualityVersion", 1}, {"title", d.Name}, {"size", d.Size}}
}

func statusMessages(d *Download, messages []string) []object {
	return []object{{{"title", d.Name}, {"messages", list(messages)}}}
}

// apiFile is what the API tells of every kind of file.
func apiFile(f *File, more ...member) object {
	return append(object{
		{"path", f.Path},
		{"size", f.Size},
		{"dateAdded", seconds(f.Added)},
		{"sceneName", text(f.Scene)},
		{"releaseGroup", text(f.Group)},
		{"quality", quality(f.Quality)},
		{"qualityCutoffNotMet", false},
		{"id", f.ID},
	}, more...)
}

func camel(reason string) string { return string(reason[0]|0x20) + reason[1:] }
