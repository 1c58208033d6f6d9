import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/**
 * Waits until SKIP and then COUNT records more than at its start stand in a topic and prints the seconds from the first of the COUNT to the
 * last. It asks the broker for the ends of the log only, so it costs the same whoever writes. Arguments: BROKERS TOPIC COUNT SKIP SECONDS.
 */
public class TopicWatch {
    public static void main(String[] args) throws Exception {
        long count = Long.parseLong(args[2]);
        long deadline = System.nanoTime() + Long.parseLong(args[4]) * 1_000_000_000L;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            long begin = end(admin, args[1]) + Long.parseLong(args[3]);
            System.out.println("watching");
            long first = 0;
            while (true) {
                long now = System.nanoTime();
                long seen = end(admin, args[1]) - begin;
                if (seen > 0 && first == 0) first = now;
                if (seen >= count) {
                    System.out.printf("%.2f%n", (System.nanoTime() - first) / 1e9);
                    return;
                }
                if (now > deadline) throw new IllegalStateException("only " + seen + " of " + count + " records came");
                Thread.sleep(10);
            }
        }
    }

    private static long end(Admin admin, String topic) throws Exception {
        var partitions = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions();
        var ends = admin.listOffsets(partitions.stream().collect(
            Collectors.toMap(p -> new TopicPartition(topic, p.partition()), p -> OffsetSpec.latest()))).all().get();
        return ends.values().stream().mapToLong(ListOffsetsResultInfo::offset).sum();
    }
}
