package main

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"time"
)

// manifest says what a pack is. All of it is held against the log; nothing in it is believed.
type manifest struct {
	origin     string
	kind       string
	language   string
	selection  []byte // canonical JSON
	chosenBy   string
	chosen     string
	upto       int64
	wholeness  int64
	made       int64
	size       int64
	entries    int64
	partitions []string
	office     bool
	files      map[string]fileDigest
}

const packFormat = "qingling/pack/v1"

// fieldsOf reads an object that has exactly the members named: each is read by its own function. Names that begin with a
// question mark may be missing.
func fieldsOf(data []byte, fields map[string]func(value []byte) error) error {
	left := len(fields)
	for name := range fields {
		if name[0] == '?' {
			left--
		}
	}
	err := eachMember(data, func(key, value []byte) error {
		read, asked := fields[string(key)]
		if asked {
			left--
		} else if read = fields["?"+string(key)]; read == nil {
			return fmt.Errorf("%.80q has no place here", key)
		}
		if err := read(value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if err == nil && left > 0 {
		err = fmt.Errorf("%d members that must be there are missing", left)
	}
	return err
}

// Readers of values, for fieldsOf.

func textInto(target *string) func([]byte) error {
	return func(value []byte) (err error) {
		*target, err = textOf(value)
		return err
	}
}

func countInto(target *int64) func([]byte) error {
	return func(value []byte) (err error) {
		if *target, err = integerOf(value); err == nil && *target < 0 {
			err = errors.New("it is less than 0")
		}
		return err
	}
}

func flagInto(target *bool) func([]byte) error {
	return func(value []byte) error {
		*target = string(value) == "true"
		if !*target && string(value) != "false" {
			return errors.New("it is neither true nor false")
		}
		return nil
	}
}

func oneOf(target *string, allowed ...string) func([]byte) error {
	return func(value []byte) (err error) {
		if *target, err = textOf(value); err != nil {
			return err
		}
		for _, each := range allowed {
			if *target == each {
				return nil
			}
		}
		return fmt.Errorf("%.80q is none of %q", *target, allowed)
	}
}

func parseManifest(data []byte) (*manifest, error) {
	m := &manifest{files: make(map[string]fileDigest)}
	var format string
	err := fieldsOf(data, map[string]func([]byte) error{
		"format":     oneOf(&format, packFormat),
		"origin":     textInto(&m.origin),
		"kind":       oneOf(&m.kind, "real", "simulation"),
		"language":   oneOf(&m.language, "zh", "en"),
		"selection":  m.readSelection,
		"upto":       countInto(&m.upto),
		"wholeness":  countInto(&m.wholeness),
		"made":       countInto(&m.made),
		"size":       countInto(&m.size),
		"entries":    countInto(&m.entries),
		"partitions": m.readPartitions,
		"office":     flagInto(&m.office),
		"files":      m.readFiles,
	})
	if err != nil {
		return nil, refuse(1, manifestName, "it is not the canonical JSON of a manifest: %v", err)
	}
	return m, m.requireOrder()
}

// requireOrder checks what must be so whatever stands in the log.
func (m *manifest) requireOrder() error {
	if m.upto < 1 || m.wholeness <= m.upto || m.made <= m.wholeness || m.size < m.made {
		return refuse(5, manifestName, "upto (%d), wholeness (%d), made (%d) and size (%d) are not in this order",
			m.upto, m.wholeness, m.made, m.size)
	}
	listed := make(map[string]bool)
	for _, name := range m.partitions {
		listed[name] = true
	}
	if !listed[logStream] {
		return refuse(5, manifestName, "the partition %q is not listed", logStream)
	}
	if m.chosenBy == "case" && (!listed[m.chosen] || len(listed) != 2) {
		return refuse(5, manifestName, "not the case %q and the log are listed, but other partitions", m.chosen)
	}
	return nil
}

// readSelection checks that a selection has the members that one of its kind has.
func (m *manifest) readSelection(data []byte) error {
	m.selection = data
	said := make(map[string]bool)
	day := func(name string) func([]byte) error {
		return func(value []byte) error {
			said[name] = true
			text, err := textOf(value)
			if err == nil {
				_, err = time.Parse("2006-01-02", text)
			}
			return err
		}
	}
	if err := fieldsOf(data, map[string]func([]byte) error{
		"kind":   oneOf(&m.chosenBy, "case", "project", "jurisdiction", "received", "all"),
		"?value": func(value []byte) error { said["value"] = true; return textInto(&m.chosen)(value) },
		"?first": day("first"),
		"?last":  day("last"),
	}); err != nil {
		return err
	}
	dated := m.chosenBy == "received"
	if said["first"] != dated || said["last"] != dated || said["value"] != (!dated && m.chosenBy != "all") {
		return fmt.Errorf("a selection by %s does not have just these members", m.chosenBy)
	}
	return nil
}

func (m *manifest) readPartitions(data []byte) error {
	err := eachItem(data, func(value []byte) error {
		name, err := textOf(value)
		m.partitions = append(m.partitions, name)
		return err
	})
	if err != nil {
		return err
	}
	for i := 1; i < len(m.partitions); i++ {
		if m.partitions[i] <= m.partitions[i-1] {
			return fmt.Errorf("%q does not stand behind %q", m.partitions[i], m.partitions[i-1])
		}
	}
	return nil
}

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (m *manifest) readFiles(data []byte) error {
	return eachMember(data, func(key, value []byte) error {
		var file fileDigest
		if err := fieldsOf(value, map[string]func([]byte) error{
			"bytes":  countInto(&file.bytes),
			"sha256": textInto(&file.sha256),
		}); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if !hexDigest.MatchString(file.sha256) {
			return fmt.Errorf("%s: a digest is 64 lower-case hexadecimal digits", key)
		}
		m.files[string(key)] = file
		return nil
	})
}

// sortedNames are the files that the manifest names.
func (m *manifest) sortedNames() []string {
	names := make([]string, 0, len(m.files))
	for name := range m.files {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
