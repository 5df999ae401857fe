package arrhook

// hook is a webhook: the fields of all families, of which one event has a few. What an
// application writes for nothing is written, and what it leaves out is left out. The
// envelope comes last, as current versions have it.
type hook struct {
	Movie             *movie       `json:"movie,omitempty"`
	RemoteMovie       *remoteMovie `json:"remoteMovie,omitempty"`
	MovieFile         *file        `json:"movieFile,omitempty"`
	RenamedMovieFiles []file       `json:"renamedMovieFiles,omitzero"`

	Series              *series   `json:"series,omitempty"`
	Episodes            []episode `json:"episodes,omitzero"`
	EpisodeFile         *file     `json:"episodeFile,omitempty"`
	EpisodeFiles        []file    `json:"episodeFiles,omitzero"`
	RenamedEpisodeFiles []file    `json:"renamedEpisodeFiles,omitzero"`
	FileCount           int       `json:"fileCount,omitempty"`

	Artist            *artist `json:"artist,omitempty"`
	Album             *album  `json:"album,omitempty"`
	Albums            []album `json:"albums,omitzero"`
	Tracks            []track `json:"tracks,omitzero"`
	TrackFile         *file   `json:"trackFile,omitempty"`
	TrackFiles        []file  `json:"trackFiles,omitzero"`
	RenamedTrackFiles []file  `json:"renamedTrackFiles,omitzero"`

	Author           *author `json:"author,omitempty"`
	Book             *book   `json:"book,omitempty"`
	Books            []book  `json:"books,omitzero"`
	BookFile         *file   `json:"bookFile,omitempty"`
	BookFiles        []file  `json:"bookFiles,omitzero"`
	RenamedBookFiles []file  `json:"renamedBookFiles,omitzero"`

	IsUpgrade *bool `json:"isUpgrade,omitempty"`
	// Quality, QualityVersion and ReleaseTitle are of a download that failed.
	Quality                string          `json:"quality,omitempty"`
	QualityVersion         int             `json:"qualityVersion,omitempty"`
	ReleaseTitle           string          `json:"releaseTitle,omitempty"`
	DownloadInfo           *downloadInfo   `json:"downloadInfo,omitempty"`
	DownloadClient         string          `json:"downloadClient,omitempty"`
	DownloadClientType     string          `json:"downloadClientType,omitempty"`
	DownloadID             string          `json:"downloadId,omitempty"`
	DownloadStatus         string          `json:"downloadStatus,omitempty"`
	DownloadStatusMessages []statusMessage `json:"downloadStatusMessages,omitempty"`
	// DeletedFiles are files of an import, and a bool of a title that was deleted.
	DeletedFiles     any               `json:"deletedFiles,omitempty"`
	MovieFolderSize  *int64            `json:"movieFolderSize,omitempty"`
	DeleteReason     string            `json:"deleteReason,omitempty"`
	AddMethod        string            `json:"addMethod,omitempty"`
	CustomFormatInfo *customFormatInfo `json:"customFormatInfo,omitempty"`
	Release          *release          `json:"release,omitempty"`

	Level           string  `json:"level,omitempty"`
	Message         *string `json:"message,omitempty"`
	Type            string  `json:"type,omitempty"`
	WikiURL         string  `json:"wikiUrl,omitempty"`
	PreviousVersion string  `json:"previousVersion,omitempty"`
	NewVersion      string  `json:"newVersion,omitempty"`

	EventType      string `json:"eventType"`
	InstanceName   string `json:"instanceName"`
	ApplicationURL string `json:"applicationUrl"`
}

// named is a language or a custom format. Applications number them, each in its own
// way, and events have no numbers.
type named struct {
	Name string `json:"name"`
}

type image struct {
	CoverType string `json:"coverType"`
	RemoteURL string `json:"remoteUrl"`
}

type release struct {
	Quality           string   `json:"quality,omitempty"`
	QualityVersion    int      `json:"qualityVersion,omitempty"`
	ReleaseGroup      string   `json:"releaseGroup,omitempty"`
	ReleaseTitle      string   `json:"releaseTitle,omitempty"`
	Indexer           string   `json:"indexer,omitempty"`
	Size              int64    `json:"size"`
	CustomFormatScore *int     `json:"customFormatScore,omitempty"`
	CustomFormats     []string `json:"customFormats,omitempty"`
	Languages         []named  `json:"languages,omitempty"`
	IndexerFlags      []string `json:"indexerFlags,omitempty"`
}

type customFormatInfo struct {
	CustomFormats     []named `json:"customFormats"`
	CustomFormatScore int     `json:"customFormatScore"`
}

type downloadInfo struct {
	Quality        string `json:"quality"`
	QualityVersion int    `json:"qualityVersion"`
	Title          string `json:"title"`
	Size           int64  `json:"size"`
}

type statusMessage struct {
	Title    string   `json:"title"`
	Messages []string `json:"messages"`
}

type file struct {
	PreviousRelativePath *string    `json:"previousRelativePath,omitempty"`
	PreviousPath         *string    `json:"previousPath,omitempty"`
	ID                   int64      `json:"id"`
	RelativePath         *string    `json:"relativePath,omitempty"`
	Path                 string     `json:"path"`
	Quality              string     `json:"quality"`
	QualityVersion       int        `json:"qualityVersion"`
	ReleaseGroup         string     `json:"releaseGroup,omitempty"`
	SceneName            string     `json:"sceneName,omitempty"`
	Size                 int64      `json:"size"`
	Languages            []named    `json:"languages,omitempty"`
	MediaInfo            *mediaInfo `json:"mediaInfo,omitempty"`
	SourcePath           string     `json:"sourcePath,omitempty"`
	RecycleBinPath       string     `json:"recycleBinPath,omitempty"`
}

type mediaInfo struct {
	AudioChannels         float64  `json:"audioChannels"`
	AudioCodec            string   `json:"audioCodec,omitempty"`
	AudioLanguages        []string `json:"audioLanguages"`
	Height                int      `json:"height"`
	Width                 int      `json:"width"`
	Subtitles             []string `json:"subtitles"`
	VideoCodec            string   `json:"videoCodec,omitempty"`
	VideoDynamicRange     string   `json:"videoDynamicRange"`
	VideoDynamicRangeType string   `json:"videoDynamicRangeType"`
}
