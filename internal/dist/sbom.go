package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// ownLicence is that of Hookarr.
const ownLicence = "Apache-2.0"

// writeBOM writes the bill of materials of a platform: the two programs, and which components
// are in each.
func writeBOM(path string, r *release, t *tree, components []component) (err error) {
	product := cdx.Component{
		BOMRef: "hookarr", Type: cdx.ComponentTypeApplication, Name: "hookarr", Version: t.version,
		PackageURL: purlOf(own, "v"+t.version), Licenses: licenses(ownLicence),
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{
		Timestamp: r.time.Format(time.RFC3339),
		Component: &product,
		Properties: &[]cdx.Property{
			{Name: "platform", Value: "linux/" + t.name},
			{Name: "commit", Value: setting(t.infos[0], "vcs.revision")},
		},
	}
	var all []cdx.Component
	var dependencies []cdx.Dependency
	var programs []string
	for i, file := range t.binaries() {
		sum := sha256.New()
		if err := copyFile(sum, filepath.Join(t.files, file)); err != nil {
			return fmt.Errorf("hash binary: %w", err)
		}
		info := t.infos[i]
		all = append(all, cdx.Component{
			BOMRef: info.Path, Type: cdx.ComponentTypeApplication, Name: filepath.Base(file), Version: t.version,
			PackageURL: product.PackageURL + "#" + strings.TrimPrefix(info.Path, own+"/"), Licenses: product.Licenses,
			Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum.Sum(nil))}},
		})
		programs = append(programs, info.Path)
		var has []string
		for _, c := range components {
			if slices.Contains(c.in, info.Path) {
				has = append(has, c.purl)
			}
		}
		dependencies = append(dependencies, cdx.Dependency{Ref: info.Path, Dependencies: &has})
	}
	for _, c := range components {
		var changes *cdx.Pedigree
		if c.changes != "" {
			changes = &cdx.Pedigree{Notes: "modified: " + c.changes}
		}
		all = append(all, cdx.Component{
			Pedigree: changes,
			BOMRef:   c.purl, Type: cdx.ComponentTypeLibrary, Name: c.name, Version: c.version, PackageURL: c.purl,
			Licenses:           licenses(c.licences...),
			ExternalReferences: &[]cdx.ExternalReference{{Type: cdx.ERTypeWebsite, URL: c.source}},
		})
		dependencies = append(dependencies, cdx.Dependency{Ref: c.purl})
	}
	dependencies = append([]cdx.Dependency{{Ref: product.BOMRef, Dependencies: &programs}}, dependencies...)
	bom.Components, bom.Dependencies = &all, &dependencies

	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write bill of materials: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := cdx.NewBOMEncoder(f, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return fmt.Errorf("write bill of materials: %w", err)
	}
	return nil
}

// licenses is one licence, or an expression of several, all of which hold.
func licenses(ids ...string) *cdx.Licenses {
	if len(ids) == 1 && !strings.Contains(ids[0], " ") {
		return &cdx.Licenses{{License: &cdx.License{ID: ids[0]}}}
	}
	terms := make([]string, len(ids))
	for i, id := range ids {
		terms[i] = id
		if strings.Contains(id, " ") && len(ids) > 1 {
			terms[i] = "(" + id + ")"
		}
	}
	return &cdx.Licenses{{Expression: strings.Join(terms, " AND ")}}
}
