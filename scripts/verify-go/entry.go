package main

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	logStream      = "log"
	typeCreated    = "log.created.v1"
	typeCommitment = "log.wholeness-committed.v1"
	typeMade       = "pack.made.v1"
	// maxEntry is what an entry bundle of C2SP tlog-tiles can hold.
	maxEntry = 65_535
)

// entry is what a verifier needs of an entry. Texts are slices of the entry, valid as long as its bytes are.
type entry struct {
	id, source, subject, kind, partition []byte
	version, data                        []byte // as spelled
}

// parseEntry reads an entry, and checks that it is canonical and names itself by its stream and version.
func parseEntry(line []byte) (e entry, err error) {
	if len(line) > maxEntry {
		return e, fmt.Errorf("it has more than %d bytes", maxEntry)
	}
	if err := eachMember(line, e.take); err != nil {
		return e, fmt.Errorf("it is not canonical JSON: %w", err)
	}
	for _, missing := range [...]struct {
		name  string
		value []byte
	}{
		{"id", e.id}, {"source", e.source}, {"subject", e.subject}, {"type", e.kind}, {"partitionkey", e.partition},
		{"version", e.version}, {"data", e.data},
	} {
		if missing.value == nil {
			return e, fmt.Errorf("it has no %s", missing.name)
		}
	}
	cut := len(e.subject)
	if len(e.id) < cut || !bytes.Equal(e.id[:cut], e.subject) || len(e.id) == cut || e.id[cut] != '/' ||
		!bytes.Equal(e.id[cut+1:], e.version) {
		return e, fmt.Errorf("its id %.200q is not its subject and its version %s", e.id, e.version)
	}
	return e, nil
}

func (e *entry) take(key, value []byte) error {
	var target *[]byte
	switch string(key) {
	case "id":
		target = &e.id
	case "source":
		target = &e.source
	case "subject":
		target = &e.subject
	case "type":
		target = &e.kind
	case "partitionkey":
		target = &e.partition
	case "version":
		if value[0] < '1' || value[0] > '9' {
			return errors.New("version: it does not count from 1")
		}
		e.version = value
		return nil
	case "data":
		if value[0] != '{' {
			return errors.New("data: it is no object")
		}
		e.data = value
		return nil
	default:
		return nil
	}
	if value[0] != '"' {
		return fmt.Errorf("%s: it is not a text", key)
	}
	*target = unescaped(value[1 : len(value)-1])
	return nil
}

// parseCommitment reads the data of a log.wholeness-committed event: as of which position, and the head of the map of partitions.
func parseCommitment(data []byte) (upto int64, head mapHead, err error) {
	upto, head.size = -1, -1
	err = eachMember(data, func(key, value []byte) error {
		switch string(key) {
		case "upto":
			return countInto(&upto)(value)
		case "partitions":
			return fieldsOf(value, map[string]func([]byte) error{"size": countInto(&head.size), "root": hashInto(&head.root)})
		}
		return nil
	})
	if err == nil && (upto < 0 || head.size < 0) {
		err = errors.New("it does not say as of which position, or has no head of the partitions")
	}
	return upto, head, err
}

// genesis is what a log says of itself in its first event.
type genesis struct {
	origin, kind string
}

func parseGenesis(data []byte) (g genesis, err error) {
	err = eachMember(data, func(key, value []byte) error {
		switch string(key) {
		case "origin":
			return textInto(&g.origin)(value)
		case "kind":
			return textInto(&g.kind)(value)
		}
		return nil
	})
	return g, err
}

// making is what the event pack.made says of a pack, before the pack was written.
type making struct {
	selection       []byte
	upto, wholeness int64
	cases           int64
	office          bool
	withheld        string               // SHA-256 of withheld.json
	ledgers         map[string][2]string // by name: SHA-256 of the CSV and of the workbook
}

func parseMaking(data []byte) (m making, err error) {
	m.ledgers = make(map[string][2]string)
	err = eachMember(data, func(key, value []byte) error {
		switch string(key) {
		case "selection":
			m.selection = value
		case "upto":
			return countInto(&m.upto)(value)
		case "wholeness":
			return countInto(&m.wholeness)(value)
		case "cases":
			return countInto(&m.cases)(value)
		case "withheld":
			return textInto(&m.withheld)(value)
		case "withoffice":
			return flagInto(&m.office)(value)
		case "ledgers":
			return eachItem(value, m.takeLedger)
		}
		return nil
	})
	return m, err
}

func (m *making) takeLedger(data []byte) error {
	var name string
	var digests [2]string
	err := eachMember(data, func(key, value []byte) error {
		switch string(key) {
		case "name":
			return textInto(&name)(value)
		case "csv":
			return textInto(&digests[0])(value)
		case "xlsx":
			return textInto(&digests[1])(value)
		}
		return nil
	})
	if _, twice := m.ledgers[name]; err == nil && twice {
		err = fmt.Errorf("the ledger %q is there twice", name)
	}
	m.ledgers[name] = digests
	return err
}

// withheldEntry is an entry that may not be shown: it counts, and says where something is missing.
type withheldEntry struct {
	leaf      tlog.Hash
	partition int32
}
