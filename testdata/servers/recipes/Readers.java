import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.apicurio.registry.utils.converter.AvroConverter;
import io.debezium.transforms.ExtractNewRecordState;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonRowDataDeserializationSchema;
import org.apache.flink.formats.json.canal.CanalJsonDeserializationSchema;
import org.apache.flink.formats.json.debezium.DebeziumJsonDeserializationSchema;
import org.apache.flink.formats.json.maxwell.MaxwellJsonDeserializationSchema;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.TypeConversions;
import org.apache.flink.util.Collector;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Reads record values with readers that are not ours and answers the rows, one JSON array a line: the kind of change as Flink shortens it, then
 * each column's text or null.
 *
 * POST /flink?format=F&times=ISO-8601: the body's first line is a ROW type in Flink's SQL, each further one a value in base64, or - for null.
 * POST /avro?registry=URL: each line is a value in base64; with reader=ID it is read into that schema.
 * POST /extract?registry=URL&topic=T: each line is a value in base64, which Kafka Connect's converter makes a record of, and Debezium's
 * ExtractNewRecordState another; the answer is what Connect's JsonConverter makes of that. 422 is a reader's refusal, in its words.
 */
public class Readers {
    static final DateTimeFormatter MICROS = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSSSSS");
    static final HttpClient http = HttpClient.newHttpClient();
    static final Map<String, Schema> schemas = new HashMap<>();

    interface Reader {
        void read(Map<String, String> query, String[] lines, StringBuilder out) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/flink", x -> answer(x, Readers::flink));
        server.createContext("/avro", x -> answer(x, Readers::avro));
        server.createContext("/extract", x -> answer(x, Readers::extract));
        server.start();
    }

    static void answer(HttpExchange x, Reader reader) throws IOException {
        StringBuilder out = new StringBuilder();
        int code = 200;
        try {
            Map<String, String> query = new HashMap<>();
            for (String pair : x.getRequestURI().getQuery().split("&")) {
                query.put(pair.split("=", 2)[0], pair.split("=", 2)[1]);
            }
            reader.read(query, new String(x.getRequestBody().readAllBytes(), StandardCharsets.UTF_8).split("\n"), out);
        } catch (Throwable t) {
            code = 422;
            for (Throwable c = t; c != null; c = c.getCause()) {
                out.append(c).append('\n');
            }
        }
        byte[] body = out.toString().getBytes(StandardCharsets.UTF_8);
        x.sendResponseHeaders(code, body.length == 0 ? -1 : body.length);
        x.getResponseBody().write(body);
        x.close();
    }

    static byte[] bytes(String line) {
        return line.equals("-") ? null : Base64.getDecoder().decode(line);
    }

    static void flink(Map<String, String> query, String[] lines, StringBuilder out) throws Exception {
        RowType type = (RowType) LogicalTypeParser.parse(lines[0], Readers.class.getClassLoader());
        DataType data = TypeConversions.fromLogicalToDataType(type);
        TypeInformation<RowData> info = InternalTypeInfo.of(type);
        TimestampFormat times = query.getOrDefault("times", "SQL").equals("SQL") ? TimestampFormat.SQL : TimestampFormat.ISO_8601;
        DeserializationSchema<RowData> schema;
        switch (query.get("format")) {
            case "debezium-json":
                schema = new DebeziumJsonDeserializationSchema(data, List.of(), info, false, false, times);
                break;
            case "maxwell-json":
                schema = new MaxwellJsonDeserializationSchema(data, List.of(), info, false, times);
                break;
            case "canal-json":
                schema = CanalJsonDeserializationSchema.builder(data, List.of(), info).setTimestampFormat(times).build();
                break;
            default:
                schema = new JsonRowDataDeserializationSchema(type, info, false, false, times);
        }
        schema.open(null);
        List<RowData> rows = new ArrayList<>();
        Collector<RowData> collector = new Collector<>() {
            public void collect(RowData row) {
                rows.add(row);
            }

            public void close() {}
        };
        for (int i = 1; i < lines.length; i++) {
            schema.deserialize(bytes(lines[i]), collector);
        }
        for (RowData row : rows) {
            List<String> texts = new ArrayList<>();
            texts.add(row.getRowKind().shortString());
            for (int i = 0; i < type.getFieldCount(); i++) {
                LogicalType t = type.getTypeAt(i);
                texts.add(text(RowData.createFieldGetter(t, i).getFieldOrNull(row), t));
            }
            line(texts, out);
        }
    }

    static String text(Object v, LogicalType t) {
        if (v == null) {
            return null;
        }
        switch (t.getTypeRoot()) {
            case DATE:
                return LocalDate.ofEpochDay((Integer) v).toString();
            case TIME_WITHOUT_TIME_ZONE:
                return LocalTime.ofNanoOfDay((Integer) v * 1_000_000L).format(DateTimeFormatter.ISO_LOCAL_TIME);
            case TIMESTAMP_WITHOUT_TIME_ZONE:
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                return ((TimestampData) v).toLocalDateTime().format(MICROS);
            case BINARY:
            case VARBINARY:
                return Base64.getEncoder().encodeToString((byte[]) v);
            case ARRAY:
                List<String> members = new ArrayList<>();
                ArrayData array = (ArrayData) v;
                ArrayData.ElementGetter get = ArrayData.createElementGetter(((ArrayType) t).getElementType());
                for (int i = 0; i < array.size(); i++) {
                    members.add(text(get.getElementOrNull(array, i), ((ArrayType) t).getElementType()));
                }
                return String.join(",", members);
            default:
                return v.toString();
        }
    }

    static void avro(Map<String, String> query, String[] lines, StringBuilder out) throws Exception {
        String registry = query.get("registry");
        for (String one : lines) {
            ByteBuffer record = ByteBuffer.wrap(bytes(one));
            if (record.get() != 0) {
                throw new IOException("Unknown magic byte!");
            }
            Schema writer = schema(registry, record.getInt());
            Schema reader = query.containsKey("reader") ? schema(registry, Integer.parseInt(query.get("reader"))) : writer;
            byte[] body = new byte[record.remaining()];
            record.get(body);
            GenericRecord envelope = new GenericDatumReader<GenericRecord>(writer, reader).read(null, DecoderFactory.get().binaryDecoder(body, null));
            if (envelope.getSchema().getField("op") == null) {
                row("KEY", envelope, out);
                continue;
            }
            GenericRecord before = (GenericRecord) envelope.get("before");
            GenericRecord after = (GenericRecord) envelope.get("after");
            switch (envelope.get("op").toString()) {
                case "u":
                    if (before != null) {
                        row("-U", before, out);
                    }
                    row("+U", after, out);
                    break;
                case "d":
                    row("-D", before, out);
                    break;
                default:
                    row("+I", after, out);
            }
        }
    }

    static void extract(Map<String, String> query, String[] lines, StringBuilder out) throws Exception {
        AvroConverter<Object> converter = new AvroConverter<>();
        converter.configure(Map.of("apicurio.registry.url", query.get("registry").replace("/apis/ccompat/v7", "/apis/registry/v2"),
            "apicurio.registry.as-confluent", "true", "apicurio.registry.use-id", "contentId", "apicurio.registry.headers.enabled", "false"), false);
        JsonConverter json = new JsonConverter();
        json.configure(Map.of("schemas.enable", "false", "converter.type", "value", "decimal.format", "NUMERIC"));
        try (ExtractNewRecordState<SinkRecord> extract = new ExtractNewRecordState<>()) {
            extract.configure(Map.of("delete.tombstone.handling.mode", "rewrite", "add.fields", "op,source.ts_ms"));
            for (String one : lines) {
                SchemaAndValue v = converter.toConnectData(query.get("topic"), bytes(one));
                SinkRecord r = extract.apply(new SinkRecord(query.get("topic"), 0, null, null, v.schema(), v.value(), 0));
                out.append(new String(json.fromConnectData(query.get("topic"), r.valueSchema(), r.value()), StandardCharsets.UTF_8)).append('\n');
            }
        }
    }

    static synchronized Schema schema(String registry, int id) throws Exception {
        String url = registry + "/schemas/ids/" + id;
        if (!schemas.containsKey(url)) {
            HttpResponse<String> r = http.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
            if (r.statusCode() != 200) {
                throw new IOException(url + ": " + r.statusCode() + " " + r.body());
            }
            String text = new org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper().readTree(r.body()).get("schema").asText();
            schemas.put(url, new Schema.Parser().parse(text));
        }
        return schemas.get(url);
    }

    static void row(String kind, GenericRecord row, StringBuilder out) {
        List<String> texts = new ArrayList<>();
        texts.add(kind);
        for (Schema.Field f : row.getSchema().getFields()) {
            texts.add(text(row.get(f.pos()), f.schema()));
        }
        line(texts, out);
    }

    static String text(Object v, Schema s) {
        if (v == null) {
            return null;
        }
        if (s.getType() == Schema.Type.UNION) {
            for (Schema member : s.getTypes()) {
                if (member.getType() != Schema.Type.NULL) {
                    return text(v, member);
                }
            }
        }
        String logical = s.getLogicalType() == null ? "" : s.getLogicalType().getName();
        switch (logical) {
            case "decimal":
                ByteBuffer b = ((ByteBuffer) v).duplicate();
                byte[] digits = new byte[b.remaining()];
                b.get(digits);
                return new BigDecimal(new BigInteger(digits), ((LogicalTypes.Decimal) s.getLogicalType()).getScale()).toPlainString();
            case "date":
                return LocalDate.ofEpochDay((Integer) v).toString();
            case "time-micros":
                return LocalTime.ofNanoOfDay((Long) v * 1000).format(DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS"));
            case "timestamp-micros":
            case "local-timestamp-micros":
                long us = (Long) v;
                return LocalDateTime.ofInstant(Instant.ofEpochSecond(Math.floorDiv(us, 1_000_000L), Math.floorMod(us, 1_000_000L) * 1000), ZoneOffset.UTC).format(MICROS);
        }
        if (v instanceof ByteBuffer) {
            ByteBuffer b = ((ByteBuffer) v).duplicate();
            byte[] raw = new byte[b.remaining()];
            b.get(raw);
            return Base64.getEncoder().encodeToString(raw);
        }
        return v.toString();
    }

    static void line(List<String> texts, StringBuilder out) {
        try {
            out.append(new org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper().writeValueAsString(texts)).append('\n');
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
