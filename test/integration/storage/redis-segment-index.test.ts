import { describeSegmentIndex } from '../../contract/segment-index.ts';
import { openTestServices } from '../../support/test-services.ts';

describeSegmentIndex('RedisSegmentIndex', openTestServices);
